import type { Command } from 'commander'
import { collect } from './collect-values.ts'
import { type OutputOptions, runVerb } from './output.ts'
import { parseServeOptions, type ServeFlags, type ServeOptions } from './serve-options.ts'

/** The options of every verb that serves. */
export const withServeOptions = (command: Command): Command =>
  command
    .option('--port <n>', 'the port; when it is taken, the next free one; 0 for any', '4300')
    .option(
      '--host <address>',
      'the address to listen on; other than this machine needs --token-file, --allow-host and --workspace-root',
      '127.0.0.1',
    )
    .option('--allow-host <name>', 'a name this server is called by; repeatable', collect, [])
    .option('--workspace-root <folder>', 'open and list only workspaces inside this folder')
    .option('--no-open', 'do not open the browser')
    .option('--no-token', 'ask for no token; on this machine only')
    .option('--token-file <file>', 'the token, instead of a new one at each start')
    .option('--read-only', 'take no job that changes a workspace')
    .option('--json', 'print one JSON document')

/** Serves until it is told to end. The server is loaded here: every other verb starts sooner without it. */
export const startServing = async (paths: readonly string[], options: ServeOptions, output: OutputOptions): Promise<number> => {
  const { runServer } = await import('./run-server.ts')
  return runServer(paths, options, output)
}

export const addServe = (program: Command): void => {
  withServeOptions(
    program.command('serve').description('the app on workspaces, folders of workspaces or lone Parquet files').argument('[path...]'),
  ).action((paths: string[], flags: ServeFlags & OutputOptions) =>
    runVerb(flags, () => startServing(paths, parseServeOptions(flags), flags)),
  )
}
