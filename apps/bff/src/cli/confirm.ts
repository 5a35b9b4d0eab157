import { createInterface } from 'node:readline/promises'
import { StorageError } from '@nirs-workspace/storage'
import { UsageError } from './output.ts'

/** Whether there is somebody to ask. */
export const hasTerminal = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true

/**
 * Asks on the terminal before something is changed; `--yes` answers beforehand. Without a terminal and without `--yes` it is refused;
 * Ctrl-C at the question is `cancelled`, and whatever is not yes is no.
 */
export const confirm = async (question: string, yes: boolean): Promise<boolean> => {
  if (yes) return true
  if (!hasTerminal()) throw new UsageError('There is no terminal to ask on. Give --yes to go ahead. Nothing was changed.')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const ended = new AbortController()
  let interrupted = false
  terminal.once('SIGINT', () => {
    interrupted = true
    ended.abort()
  })
  terminal.once('close', () => ended.abort())
  try {
    const answer = await terminal.question(`${question} [y/N] `, { signal: ended.signal })
    return /^(y|yes)$/i.test(answer.trim())
  } catch (error) {
    if (!ended.signal.aborted) throw error
    process.stderr.write('\n')
    if (interrupted) throw new StorageError('cancelled', 'It was stopped at the question. Nothing was changed.', {}, error)
    return false
  } finally {
    terminal.close()
  }
}
