import { recoverWorkspace } from '@nirs-workspace/storage'
import type { Command } from 'commander'
import { confirm, hasTerminal } from './confirm.ts'
import { type OutputOptions, printResult, say } from './output.ts'

/** What every verb takes that changes a workspace. */
export interface ChangeOptions extends OutputOptions {
  dryRun?: boolean
  yes?: boolean
}

export const withChangeOptions = (command: Command): Command =>
  command
    .option('--dry-run', 'print what would happen; change nothing')
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON document')

/** Finishes or undoes what an interrupted job has left, unless nothing can come of this call but a preview. */
export const recoverFirst = async (path: string, { dryRun, yes }: ChangeOptions): Promise<void> => {
  if (dryRun === true || !(yes === true || hasTerminal())) return
  await settleFirst(path)
}

/** The same for a verb that has asked already; says what was done and what others have kept it from. */
export const settleFirst = async (path: string): Promise<void> => {
  const { recovered, outcome, warnings = [] } = await recoverWorkspace(path)
  if (recovered) say(`A job that was interrupted has been ${outcome ?? 'settled'} first.`)
  for (const warning of warnings) say(warning)
}

/** Shows what would happen and asks; `--yes` agrees beforehand. A no is answered here. Throws `UsageError` when there is nobody to ask. */
export const agrees = async (preview: string, question: string, options: ChangeOptions): Promise<boolean> => {
  if (options.yes === true) return true
  if (preview !== '') say(preview)
  const agreed = await confirm(question, false)
  if (!agreed) {
    say('Nothing was changed.')
    printResult(options, { agreed }, () => '')
  }
  return agreed
}
