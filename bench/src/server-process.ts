import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface ServerProcess {
  /** Milliseconds from starting the process to the line with its address. */
  readonly readyAfter: number
  /** Milliseconds from starting the process; for what comes after. */
  readonly sinceStart: () => number
  get(path: string): Promise<unknown>
  stop(): Promise<void>
}

const main = fileURLToPath(new URL('../../apps/bff/src/main.ts', import.meta.url))
const PATIENCE = 180_000

/** Serves a workspace as a user's command does, with caches of its own. */
export const startServerProcess = async (workspace: string, home: string): Promise<ServerProcess> => {
  const env = { ...process.env, XDG_CACHE_HOME: home, XDG_CONFIG_HOME: home, XDG_STATE_HOME: home }
  const started = performance.now()
  const child = spawn(process.execPath, [main, 'serve', workspace, '--no-open', '--no-token', '--port', '0'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const base = await new Promise<string>((resolve, reject) => {
    let text = ''
    const look = (part: Buffer) => {
      text += part.toString()
      const address = /https?:\/\/(?:127\.0\.0\.1|localhost):\d+/.exec(text)?.[0]
      if (address !== undefined) resolve(address)
    }
    child.stdout.on('data', look)
    child.stderr.on('data', look)
    child.on('exit', (code) => reject(new Error(`The server ended with exit code ${code}:\n${text}`)))
    setTimeout(() => reject(new Error(`The server gave no address in ${PATIENCE / 1000} s:\n${text}`)), PATIENCE).unref()
  })
  const readyAfter = performance.now() - started
  return {
    readyAfter,
    sinceStart: () => performance.now() - started,
    get: async (path) => {
      const response = await fetch(`${base}/api${path}`)
      if (!response.ok) throw new Error(`${path} answered ${response.status}: ${(await response.text()).slice(0, 300)}`)
      return response.json()
    },
    stop: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await gone
    },
  }
}
