import { isStorageError } from '@nirs-workspace/storage'
import { errorCodes } from '@nirs-workspace/types'
import { exitCodes } from './exit-codes.ts'

declare global {
  interface JSON {
    /** A primitive that `stringify` writes as this text; Node has it, the type library not yet. */
    rawJSON(text: string): unknown
  }
}

export interface OutputOptions {
  json?: boolean
}

/** The result of a verb: with `--json` the one document on standard output, else what `text` makes of it (nothing for ''). */
export const printResult = <T>(options: OutputOptions, result: T, text: (result: T) => string): void => {
  const shown = options.json === true ? toJsonText(result) : text(result)
  if (shown !== '') process.stdout.write(`${shown}\n`)
}

/** As JSON with the sign of a zero, which JSON has and `JSON.stringify` drops: a residual of -0 is one in the file as well. */
const toJsonText = (value: unknown): string => {
  try {
    return JSON.stringify(value, (_key, part: unknown) => (Object.is(part, -0) ? JSON.rawJSON('-0') : part))
  } catch (error) {
    // A text of Node ends at half a gigabyte.
    if (!(error instanceof RangeError)) throw error
    throw new UsageError('That is too much for one document. Ask for less of it (--limit, filters), or export it.', { cause: error })
  }
}

/** Progress and messages, which are never on standard output. */
export const say = (message: string): void => {
  process.stderr.write(`${message}\n`)
}

/** A mistake in how a verb was called. */
export class UsageError extends Error {}

/** Runs a verb and sets the exit code: what it answers, or what the error stands for. */
export const runVerb = async (options: OutputOptions, verb: () => Promise<number>): Promise<void> => {
  try {
    process.exitCode = await verb()
  } catch (error) {
    process.exitCode = reportError(options, error)
  }
}

const reportError = (options: OutputOptions, error: unknown): number => {
  if (error instanceof UsageError) return tell(options, 'validation', error.message, undefined, exitCodes.usage)
  if (isStorageError(error) && error.code !== 'internal') {
    const exit = 'exit' in error && typeof error.exit === 'number' ? error.exit : error.exitCode
    return tell(options, error.code, error.message, error.fields.hint, exit, {
      locked_by: error.fields.locked_by,
      ...('files' in error ? { files: error.files } : {}),
      ...('failed' in error ? { failed: error.failed } : {}),
    })
  }
  say(error instanceof Error ? (error.stack ?? error.message) : String(error))
  return tell(options, 'internal', 'This is a mistake in the program. Nothing is known to have changed.', undefined, exitCodes.bug)
}

const tell = (
  options: OutputOptions,
  code: keyof typeof errorCodes,
  detail: string,
  hint: string | undefined,
  exit: number,
  more: Record<string, unknown> = {},
): number => {
  if (options.json === true) printProblem(code, detail, hint, more)
  say(`${errorCodes[code].title}: ${detail}`)
  if (hint !== undefined) say(hint)
  return exit
}

const printProblem = (code: keyof typeof errorCodes, detail: string, hint?: string, more: Record<string, unknown> = {}): void => {
  process.stdout.write(`${JSON.stringify({ error: { code, title: errorCodes[code].title, detail, hint, ...more } })}\n`)
}

/** The document of a command line that could not be read as a verb with its options. */
export const printUsageProblem = (message: string): void => {
  printProblem('validation', message.replace(/^error: /, ''), 'Add --help for what there is.')
}
