import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const entry = fileURLToPath(new URL('./hash-file-child.ts', import.meta.url))

/**
 * SHA-256 of a file that this process has attached in DuckDB, read by a child process: closing a descriptor of it here would drop
 * DuckDB's lock, and a writer could get in.
 */
export const hashAttachedFile = async (path: string, signal?: AbortSignal): Promise<string> => {
  const { stdout } = await run(process.execPath, ['--no-warnings', entry, path], { env: {}, ...(signal === undefined ? {} : { signal }) })
  return stdout.trim()
}
