import { errorCodes } from '@nirs-workspace/types'
import { exitCodes } from './exit-codes.ts'
import { say } from './output.ts'

/**
 * Keeps a verb at its work when what it writes is read no longer. A reader that goes away (`| head`) has what it wanted: the exit code stays
 * that of the verb. An answer that is lost for another reason, such as a full disk, is told and ends with `write_failed`, unless the verb
 * itself ends with an error. Progress and messages may be lost: there is no place left to tell that.
 */
export const outliveOutputs = (): void => {
  process.stderr.on('error', () => undefined)
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (!hasNoReader(error)) tellLostAnswer(error)
  })
}

// After the first failure the stream refuses whatever else is written to it.
const hasNoReader = ({ code }: NodeJS.ErrnoException): boolean =>
  code === 'EPIPE' || code === 'ECONNRESET' || code === 'ERR_STREAM_DESTROYED' || code === 'EOF'

let isTold = false

const tellLostAnswer = ({ code, message }: NodeJS.ErrnoException): void => {
  if (isTold) return
  isTold = true
  say(
    `${errorCodes.write_failed.title}: standard output takes no more (${code ?? message}). The answer is lost; what the command did stays done.`,
  )
  say('Write the answer to another place.')
  // The verb sets the exit code when it ends, which may be before this or after.
  process.once('exit', () => {
    if (process.exitCode === exitCodes.done || process.exitCode === exitCodes.findings) process.exitCode = errorCodes.write_failed.exit
  })
}
