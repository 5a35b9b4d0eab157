import type { Command } from 'commander'
import { type ChangeOptions, withChangeOptions } from '../change-options.ts'
import { runVerb } from '../output.ts'
import { carryOut } from './carry-out.ts'

export const addRemoveChain = (program: Command): void => {
  withChangeOptions(
    program.command('remove-chain').description('remove a chain with its predictions').argument('<path>').argument('<chain_id>'),
  ).action((path: string, chain_id: string, options: ChangeOptions) =>
    runVerb(options, () => carryOut(path, { kind: 'remove_chain', chain_id }, options)),
  )
}
