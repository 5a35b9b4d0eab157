import { spawn } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export interface ServerProcess {
  /** Milliseconds from starting the process to the line with its address. */
  readonly readyAfter: number
  /** Milliseconds from starting the process; for what comes after. */
  readonly sinceStart: () => number
  get(path: string): Promise<unknown>
  stop(): Promise<void>
}

const main = fileURLToPath(new URL('../../apps/bff/dist/main.js', import.meta.url))
const PATIENCE = 180_000
const BETWEEN_QUESTIONS = 50

/** While the catalog of a large workspace is being built the server answers 503, and a client asks again. */
const askUntilReady = async (address: string): Promise<unknown> => {
  const deadline = performance.now() + PATIENCE
  for (;;) {
    const response = await fetch(address)
    if (response.ok) return response.json()
    const text = await response.text()
    if (response.status !== 503 || performance.now() > deadline) {
      throw new Error(`${new URL(address).pathname} answered ${response.status}: ${text.slice(0, 300)}`)
    }
    await setTimeout(BETWEEN_QUESTIONS)
  }
}

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
    setTimeout(PATIENCE, undefined, { ref: false }).then(() =>
      reject(new Error(`The server gave no address in ${PATIENCE / 1000} s:\n${text}`)),
    )
  })
  const readyAfter = performance.now() - started
  return {
    readyAfter,
    sinceStart: () => performance.now() - started,
    get: (path) => askUntilReady(`${base}/api${path}`),
    stop: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await gone
    },
  }
}
