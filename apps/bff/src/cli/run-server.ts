import { resolve } from 'node:path'
import { systemCode } from '@nirs-workspace/storage'
import { userFolders } from '../folders.ts'
import { recoverJobs } from '../jobs/recover-jobs.ts'
import { createLog } from '../log.ts'
import { createApp } from '../server/create-app.ts'
import { createDeps } from '../server/create-deps.ts'
import { startServer } from '../server/start-server.ts'
import { findWorkspaces } from './find-workspaces.ts'
import { onStop } from './on-stop.ts'
import { hasDisplay, openBrowser } from './open-browser.ts'
import { type OutputOptions, printResult, say, UsageError } from './output.ts'
import type { ServeOptions } from './serve-options.ts'

/** Serves until the process is told to stop. The start line goes to standard output: it is the result of this verb. */
export const runServer = async (paths: readonly string[], options: ServeOptions, output: OutputOptions): Promise<number> => {
  const found = (await Promise.all(paths.map(findWorkspaces))).flat()
  const log = createLog((line) => process.stderr.write(line))
  const { readOnly, workspaceRoot, isNetwork } = options
  const deps = createDeps({ folders: userFolders(), log, readOnly, workspaceRoot, isNetwork, readAhead: true })
  try {
    void deps.exports.tidy().catch((error: unknown) => log.error('old exports could not be removed', { error }))
    for (const path of found) await deps.workspaces.open(resolve(path))
    const { hub, methodsAt } = deps
    const server = await startServer({ ...options, app: createApp(deps), hub, log, methodsAt }).catch(explainTo(options))
    deps.arrays.warmUp()
    void recoverJobs(deps.jobs, log, { readOnly })
    const address = pageAddress(server.port, options, { token: options.token })
    printResult(
      output,
      { url: address, port: server.port, workspaces: deps.workspaces.list().map(({ id, path }) => ({ id, path })) },
      () => address,
    )
    if (options.open && hasDisplay()) openBrowser(pageAddress(server.port, options, { code: server.makeEntryCode() }))
    await stopSignal()
    say('Stopping …')
    await server.close()
    return 0
  } finally {
    await deps.close()
  }
}

/** An address that is not ours, a port that this user may not have or that is taken: the call has to change. */
const explainTo =
  ({ host, port }: ServeOptions) =>
  (error: unknown): never => {
    const code = systemCode(error)
    if (code === undefined) throw error
    throw new UsageError(
      `The server was not started: it cannot listen on ${host}, port ${port} (${code}). Give an address of this machine with --host, and with --port one that is free and that this user may listen on.`,
      { cause: error },
    )
  }

/** Exported for tests. This machine is called as it was given: `localhost` is listened on where the resolver says. */
export const pageAddress = (
  port: number,
  { host, allowedNames, isNetwork }: ServeOptions,
  entry: { token?: string | undefined; code?: string | undefined },
): string => {
  const local = host === '::1' ? '[::1]' : host
  const name = isNetwork ? (allowedNames[0] ?? host) : local
  const [given] = Object.entries(entry).filter(([, value]) => value !== undefined)
  return `http://${name}:${port}/${given === undefined ? '' : `?${given.join('=')}`}`
}

/** Resolves at the first SIGINT or SIGTERM; a later one ends the process at once. */
const stopSignal = (): Promise<void> =>
  new Promise((resolve) => {
    onStop(resolve)
  })
