import type { Command } from 'commander'
import type { OutputOptions } from './output.ts'

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
