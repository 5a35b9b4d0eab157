import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

// As `npm start` and `npm run cli` start it.
const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

export interface CliResult {
  code: number | null
  stdout: string
  stderr: string
}

const start = (parameters: readonly string[], home: string, cwd?: string): ChildProcess =>
  spawn(process.execPath, [main, ...parameters], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NIRS_WORKSPACE_HOME: home },
    cwd,
  })

const collect = (child: ChildProcess): CliResult => {
  const result: CliResult = { code: null, stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    result.stdout += chunk
  })
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    result.stderr += chunk
  })
  return result
}

/** Runs the command line as a user would, without a terminal, with a home of its own. */
export const runCli = async (parameters: readonly string[], home: string): Promise<CliResult> => {
  const child = start(parameters, home)
  const result = collect(child)
  const [code] = await once(child, 'close')
  return { ...result, code: typeof code === 'number' ? code : null }
}

/** Runs the command line in a Node that says it is of another version. */
export const runCliUnder = (version: string, parameters: readonly string[]): Promise<CliResult> =>
  runCliAfter(`Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`, parameters)

/** Runs the command line after a script that pretends something. */
export const runCliAfter = async (pretend: string, parameters: readonly string[]): Promise<CliResult> => {
  const child = spawn(process.execPath, ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`, main, ...parameters])
  const result = collect(child)
  const [code] = await once(child, 'close')
  return { ...result, code: typeof code === 'number' ? code : null }
}

const asTerminal = fileURLToPath(new URL('./as-terminal.ts', import.meta.url))

/** Runs the command line as if at a terminal, and types `keys` when it asks. */
export const answerCli = async (parameters: readonly string[], home: string, keys: string): Promise<CliResult> => {
  const child = spawn(process.execPath, ['--import', asTerminal, main, ...parameters], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NIRS_WORKSPACE_HOME: home },
  })
  const result = collect(child)
  const type = () => {
    if (!result.stderr.includes('[y/N]')) return
    child.stderr?.off('data', type)
    child.stdin?.end(keys)
  }
  child.stderr?.on('data', type)
  const [code] = await once(child, 'close')
  return { ...result, code: typeof code === 'number' ? code : null }
}

export interface CliServer {
  url: string
  port: number
  token: string
  output: CliResult
  request(path: string, init?: RequestInit): Promise<Response>
  /** Ends it by a signal and waits for that. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

/** Starts `serve` on a free port, in the folder `cwd`, and waits for its start line. */
export const serveCli = async (parameters: readonly string[], home: string, cwd?: string): Promise<CliServer> => {
  const child = start(['serve', ...parameters, '--no-open', ...(parameters.includes('--port') ? [] : ['--port', '0'])], home, cwd)
  const output = collect(child)
  const ended = once(child, 'close')
  while (!output.stdout.includes('\n')) {
    const gone = await Promise.race([ended.then(() => true), new Promise<false>((resolve) => setTimeout(resolve, 20, false))])
    if (gone) throw new Error(`serve ended: ${output.stderr}`)
  }
  const url = output.stdout.trim()
  const { port, searchParams } = new URL(url)
  const token = searchParams.get('token') ?? ''
  return {
    url,
    port: Number(port),
    token,
    output,
    request: (path, init = {}) =>
      fetch(`http://127.0.0.1:${port}/api${path}`, {
        ...init,
        headers: { authorization: `Bearer ${token}`, ...(init.body === undefined ? {} : { 'content-type': 'application/json' }) },
      }),
    end: async (signal) => {
      child.kill(signal)
      const [code] = await ended
      return typeof code === 'number' ? code : null
    },
  }
}
