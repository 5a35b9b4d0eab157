import { join } from 'node:path'
import { defineConfig } from 'rolldown'
import { emitEntries, serverFolder } from './scripts/built-entries.ts'

/** The server, the command line and their processes in a few files: a command starts in a third of the time that 800 modules take. */
export default defineConfig({
  input: { main: join(import.meta.dirname, 'apps', 'bff', 'src', 'main.ts') },
  platform: 'node',
  // With files of their own that they find by where they lie.
  external: [/^@duckdb\//, /^parquet-wasm/, 'ws'],
  plugins: [emitEntries()],
  output: { dir: serverFolder, format: 'esm' },
})
