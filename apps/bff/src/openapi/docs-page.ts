import type { Route } from '../routes/define-route.ts'
import { version } from '../version.ts'
import { makeOpenApi } from './make-openapi.ts'

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:CanvasText;background:Canvas;color-scheme:light dark}
code,pre{font:13px/1.5 ui-monospace,monospace}pre{overflow:auto;padding:.75rem;border:1px solid color-mix(in srgb,CanvasText 20%,Canvas);border-radius:6px}
h2{margin-top:2.5rem}section{border-top:1px solid color-mix(in srgb,CanvasText 20%,Canvas);padding:.5rem 0}h3{font-size:1rem;margin:.5rem 0}
.method{display:inline-block;min-width:4.5rem;font-weight:600}table{border-collapse:collapse}td,th{text-align:left;padding:.15rem 1rem .15rem 0;vertical-align:top}`

/** The API as one page without scripts, from the same description as openapi.json. */
export const docsPage = (routes: readonly Route[]): string => {
  const { paths } = makeOpenApi(routes)
  const tags = [...new Set(routes.map((route) => route.tag))]
  const sections = tags.map(
    (tag) =>
      `<h2>${escapeHtml(tag)}</h2>${routes
        .filter((route) => route.tag === tag)
        .map((route) => section(route, paths))
        .join('')}`,
  )
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>NIRS Workspace API</title>
<meta name="viewport" content="width=device-width"><style>${style}</style></head><body>
<h1>NIRS Workspace API ${escapeHtml(version)}</h1>
<p>Base path <code>/api</code>. Programs send <code>Authorization: Bearer &lt;token&gt;</code>; the token is in the address that the server prints
when it starts. Errors are <code>application/problem+json</code> with a stable <code>code</code>. Numbers that JSON cannot hold travel as
<code>"NaN"</code>, <code>"Infinity"</code>, <code>"-Infinity"</code>. The machine-readable form is <a href="/api/openapi.json">openapi.json</a>.</p>
${sections.join('\n')}</body></html>`
}

const section = (route: Route, paths: unknown): string => {
  const operation = dig(dig(paths, route.path), route.method.toLowerCase())
  const body = dig(dig(dig(dig(operation, 'requestBody'), 'content'), 'application/json'), 'schema')
  const hasBody = Object.keys(asObject(dig(body, 'properties'))).length > 0
  return `<section id="${escapeHtml(`${route.method}${route.path}`)}"><h3><span class="method">${route.method}</span><code>/api${escapeHtml(route.path)}</code></h3>
<p>${escapeHtml(route.summary)}</p>${parameterTable(dig(operation, 'parameters'))}${hasBody ? details('Body', body) : ''}${details('Answers', dig(operation, 'responses'))}</section>`
}

const parameterTable = (parameters: unknown): string => {
  if (!Array.isArray(parameters) || parameters.length === 0) return ''
  const rows = parameters.map((parameter: unknown) => {
    const cells = [dig(parameter, 'name'), dig(parameter, 'in'), JSON.stringify(dig(parameter, 'schema'))]
    return `<tr>${cells.map((cell) => `<td><code>${escapeHtml(String(cell))}</code></td>`).join('')}</tr>`
  })
  return `<details><summary>${rows.length} parameter${rows.length === 1 ? '' : 's'}</summary><table>${rows.join('')}</table></details>`
}

const details = (title: string, value: unknown): string =>
  `<details><summary>${title}</summary><pre>${escapeHtml(JSON.stringify(value, null, 2))}</pre></details>`

const asObject = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {})

const dig = (value: unknown, key: string): unknown => Reflect.get(asObject(value), key)

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;')
