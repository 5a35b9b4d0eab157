import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { hashFile } from './hash-file.ts'

const run = promisify(execFile)

/**
 * SHA-256 of a file that this process has attached in DuckDB, read by a child process: closing a descriptor of it here would drop
 * DuckDB's lock, and a writer could get in.
 */
export const hashAttachedFile = async (path: string, signal?: AbortSignal): Promise<string> => {
  const { stdout } = await run(process.execPath, ['--no-warnings', fileURLToPath(import.meta.url), path], {
    env: {},
    ...(signal === undefined ? {} : { signal }),
  })
  return stdout.trim()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(await hashFile(process.argv[2] ?? ''))
