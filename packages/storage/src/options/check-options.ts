import * as z from 'zod'
import { StorageError } from '../errors.ts'

interface Refusal {
  /** What is checked, where the value itself is wrong. */
  readonly name?: string | undefined
  readonly hint?: string | undefined
  readonly untouched?: string | undefined
}

/** What a caller gave, as the schema reads it. Throws `validation` with a sentence that names what is wrong. */
export const parseGiven = <S extends z.ZodType>(
  schema: S,
  given: unknown,
  { name = 'options', hint, untouched = 'Nothing was changed.' }: Refusal = {},
): z.output<S> => {
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.slice(0, 5).map((issue) => problemOf(issue, name))
  throw new StorageError('validation', `${problems.join('; ')}. ${untouched}`, hint === undefined ? {} : { hint })
}

/** As `parseGiven`, for what is used as it was given. */
export const checkGiven = (schema: z.ZodType, given: unknown, name?: string): void => {
  parseGiven(schema, given, { name })
}

/** Refuses what is no text: an id, a name, a path. Throws `validation`. */
export const checkText = (name: string, given: unknown): void => checkGiven(z.string(), given, name)

/** Refuses what is no list of texts. Throws `validation`. */
export const checkTexts = (name: string, given: unknown): void => checkGiven(z.array(z.string()), given, name)

/** Refuses what is no set of texts. Throws `validation`. */
export const checkSet = (name: string, given: unknown): void =>
  checkGiven(
    z.custom((value) => value instanceof Set && [...value].every((one) => typeof one === 'string'), 'expected a Set of texts'),
    given,
    name,
  )

const problemOf = (issue: z.core.$ZodIssue, name: string): string => {
  const place = issue.path.length === 0 ? name : z.core.toDotPath(issue.path)
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.slice(0, 5).map((key) => JSON.stringify(key.slice(0, 100)))
    return `${place}: there is no ${keys.join(', ')}`
  }
  const branches = issue.code === 'invalid_union' ? issue.errors.flatMap(([first]) => (first === undefined ? [] : [first.message])) : []
  const message = branches.length > 0 ? branches.map(withoutPrefix).join(', or ') : withoutPrefix(issue.message)
  return `${place}: ${message}`
}

const withoutPrefix = (message: string): string => message.replace(/^Invalid (input|option): /, '')
