import { spawn } from 'node:child_process'
import { once } from 'node:events'

const script = `const { DuckDBInstance } = require('@duckdb/node-api')
DuckDBInstance.create(process.argv[1]).then((store) => { globalThis.store = store; console.log('open'); setInterval(() => {}, 1e6) }, () => process.exit(1))`

/** Another program that has a store open for writing until it is disposed of; null when it is not let in. */
export const holdStore = async (path: string): Promise<({ pid: number | undefined } & AsyncDisposable) | null> => {
  const child = spawn(process.execPath, ['-e', script, path], { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const isOpen = await Promise.race([once(child.stdout, 'data').then(() => true), ended.then(() => false)])
  if (!isOpen) return null
  const end = async () => {
    child.kill('SIGKILL')
    await ended
  }
  return { pid: child.pid, [Symbol.asyncDispose]: end }
}
