import type { Route } from './define-route.ts'

interface Pattern {
  expression: RegExp
  methods: string[]
}

const escapeText = (text: string) => text.replace(/[.*+?^$()[\]\\|]/g, '\\$&')

/** `{name}` is one segment of an address. Before a suffix it may be empty, as the name of a dataset may. */
const toExpression = (path: string): RegExp => {
  const segments = escapeText(path)
    .replace(/\{([a-z_]+)\}(?=\\\.)/g, '(?<$1>[^/]*)')
    .replace(/\{([a-z_]+)\}/g, '(?<$1>[^/]+)')
  return new RegExp(`^/api${segments}$`)
}

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

/**
 * Reads the parameters of a route from a raw path, each decoded once: a name may hold slashes, percent signs and line breaks. One that is
 * no percent-encoded UTF-8 stands for itself.
 */
export const parameterReader = (path: string): ((pathname: string) => Readonly<Record<string, string>>) => {
  const expression = toExpression(path)
  return (pathname) =>
    Object.fromEntries(Object.entries(expression.exec(pathname)?.groups ?? {}).map(([name, value]) => [name, decode(value)]))
}

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return text
    throw error
  }
}

/** `{name}` as Hono writes it; the suffix of `{dataset_name}.parquet` belongs to the same segment. */
export const toHonoPath = (path: string): string =>
  `/api${path.replace(/\{([a-z_]+)\}\.([a-z]+)/g, ':$1{[^/]*\\.$2}').replace(/\{([a-z_]+)\}/g, ':$1')}`
