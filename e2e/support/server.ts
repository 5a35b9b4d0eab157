import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'apps', 'bff', 'dist', 'main.js')

export interface Server {
  /** Address with the token, as printed for the user. */
  readonly url: string
  readonly origin: string
  /** Ends the program as Ctrl-C does. */
  stop(): Promise<void>
  /** Ends the program and everything it started at once, as a power cut does. */
  kill(): Promise<void>
}

/** Folders for caches and settings, so that no test sees another's or the user's. */
export const isolatedHome = async (): Promise<{ env: NodeJS.ProcessEnv; remove: () => Promise<void> }> => {
  const home = await mkdtemp(join(tmpdir(), 'nirs-e2e-home-'))
  const folders = { XDG_CACHE_HOME: join(home, 'cache'), XDG_CONFIG_HOME: join(home, 'config'), XDG_STATE_HOME: join(home, 'state') }
  return { env: { ...process.env, HOME: home, ...folders, CI: '1' }, remove: () => rm(home, { recursive: true, force: true }) }
}

/** How a program that is started again is found under the same address. */
interface Again {
  readonly port: string
  readonly tokenFile?: string
}

/** Starts the real program on a workspace and waits for the address that it prints. */
export const startServer = async (paths: readonly string[], env: NodeJS.ProcessEnv, again: Again = { port: '0' }): Promise<Server> => {
  // A group of its own, so that `kill` also reaches the job processes.
  const child = spawn(
    process.execPath,
    [
      main,
      'serve',
      ...paths,
      '--port',
      again.port,
      '--no-open',
      ...(again.tokenFile === undefined ? [] : ['--token-file', again.tokenFile]),
    ],
    {
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const url = await printedAddress(child)
  const ended = once(child, 'exit')
  const signalAll = (signal: NodeJS.Signals) => {
    if (child.pid === undefined || child.exitCode !== null) return
    // Windows has no groups of processes; what the program started ends when it sees that it has gone.
    if (process.platform === 'win32') child.kill(signal)
    else process.kill(-child.pid, signal)
  }
  return {
    url,
    origin: new URL(url).origin,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
    kill: async () => {
      signalAll('SIGKILL')
      await ended
    },
  }
}

const printedAddress = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let printed = ''
    const read = (chunk: Buffer) => {
      printed += chunk.toString()
      const address = /http:\/\/[\w.:[\]]+\/\?token=[\w-]{16,}/.exec(printed)?.[0]
      if (address !== undefined) resolve(address)
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('exit', (code) => reject(new Error(`The server ended with ${code} before it was ready:\n${printed}`)))
    child.once('error', reject)
  })
