import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Where rolldown puts the server with its commands, processes and threads. */
export const serverFolder = join(import.meta.dirname, '..', 'apps', 'bff', 'dist')

/** How the sources name a file that starts as a process or thread of its own. */
const entryUrl = /new URL\('(\.[^']*\/)?([\w-]+)\.ts', import\.meta\.url\)/g

interface Emitting {
  emitFile(file: { type: 'chunk'; id: string; fileName: string }): string
}

const isSource = (id: string): boolean => id.endsWith('.ts') && !id.includes('/node_modules/') && !/\/testing\/|\.test\.ts$/.test(id)

/** For rolldown: what starts by itself becomes a file of its own beside the others. */
const emitEntries = () => ({
  name: 'emit-entries',
  transform(this: Emitting, code: string, id: string) {
    if (!isSource(id)) return null
    return code.replace(entryUrl, (_, folder: string | undefined, name: string) => {
      this.emitFile({ type: 'chunk', id: resolve(dirname(id), folder ?? '.', `${name}.ts`), fileName: `${name}.js` })
      return `new URL('./${name}.js', import.meta.url)`
    })
  },
})

/** How rolldown makes programs for Node and all that they start: a few files in one folder. */
export const bundleOf = (input: Record<string, string>, dir: string) => ({
  input,
  platform: 'node' as const,
  // With files of their own that they find by where they lie.
  external: [/^@duckdb\//, /^parquet-wasm/, 'ws'],
  plugins: [emitEntries()],
  // What is loaded late to break a circle of imports need not be in a file of its own.
  checks: { ineffectiveDynamicImport: false },
  output: { dir, format: 'esm' as const },
})

/** For tests: the sources start the built files, as they do for a user. */
export const startBuilt = () => ({
  name: 'start-built',
  enforce: 'pre' as const,
  transform(code: string, id: string) {
    if (!isSource(id)) return null
    return code.replace(entryUrl, (found: string, _, name: string) => {
      const built = join(serverFolder, `${name}.js`)
      return existsSync(built) ? `new URL(${JSON.stringify(pathToFileURL(built).href)})` : found
    })
  },
})
