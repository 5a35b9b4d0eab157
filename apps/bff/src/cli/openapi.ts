import type { Command } from 'commander'
import { exitCodes } from './exit-codes.ts'
import { type OutputOptions, printResult, runVerb } from './output.ts'

export const addOpenApi = (program: Command): void => {
  program
    .command('openapi')
    .description('the HTTP API as OpenAPI 3.1')
    .option('--json', 'the same on one line')
    .action((options: OutputOptions) =>
      runVerb(options, async () => {
        const [{ makeOpenApi }, { allRoutes }] = await Promise.all([
          import('../openapi/make-openapi.ts'),
          import('../routes/all-routes.ts'),
        ])
        printResult(options, makeOpenApi(allRoutes), (document) => JSON.stringify(document, null, 2))
        return exitCodes.done
      }),
    )
}
