import type { Route } from './define-route.ts'

interface Pattern {
  expression: RegExp
  methods: string[]
}

const escapeText = (text: string) => text.replace(/[.*+?^$()[\]\\|]/g, '\\$&')

const toExpression = (path: string): RegExp => new RegExp(`^/api${escapeText(path).replace(/\{[a-z_]+\}/g, '[^/]+')}$`)

/** Answers which methods the route at a raw path takes, undefined when there is no such route. */
export const methodFinder = (routes: readonly Pick<Route, 'method' | 'path'>[]): ((pathname: string) => readonly string[] | undefined) => {
  const patterns = new Map<string, Pattern>()
  for (const { method, path } of routes) {
    const pattern = patterns.get(path) ?? { expression: toExpression(path), methods: [] }
    pattern.methods.push(...(method === 'GET' ? ['GET', 'HEAD'] : [method]))
    patterns.set(path, pattern)
  }
  const all = [...patterns.values()]
  return (pathname) => {
    const matching = all.filter(({ expression }) => expression.test(pathname))
    return matching.length === 0 ? undefined : matching.flatMap(({ methods }) => methods)
  }
}

/** `{name}` as Hono writes it; `{dataset_name}.parquet` needs an expression because the suffix belongs to the same segment. */
export const toHonoPath = (path: string): string =>
  `/api${path.replace(/\{([a-z_]+)\}\.([a-z]+)/g, ':$1{.+\\.$2}').replace(/\{([a-z_]+)\}(?!\w*\\)/g, ':$1')}`
