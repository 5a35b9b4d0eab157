import { createInterface } from 'node:readline/promises'
import { UsageError } from './output.ts'

/** Asks on the terminal before something is changed; `--yes` answers beforehand. Without a terminal and without `--yes` it is refused. */
export const confirm = async (question: string, yes: boolean): Promise<boolean> => {
  if (yes) return true
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new UsageError('There is no terminal to ask on. Give --yes to go ahead. Nothing was changed.')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question(`${question} [y/N] `)
    return /^(y|yes)$/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}
