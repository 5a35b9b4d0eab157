import type { Command } from 'commander'
import { makeOpenApi } from '../openapi/make-openapi.ts'
import { allRoutes } from '../routes/all-routes.ts'
import { exitCodes } from './exit-codes.ts'
import { type OutputOptions, printResult, runVerb } from './output.ts'

export const addOpenApi = (program: Command): void => {
  program
    .command('openapi')
    .description('the HTTP API as OpenAPI 3.1')
    .option('--json', 'the same on one line')
    .action((options: OutputOptions) =>
      runVerb(options, async () => {
        printResult(options, makeOpenApi(allRoutes), (document) => JSON.stringify(document, null, 2))
        return exitCodes.done
      }),
    )
}
