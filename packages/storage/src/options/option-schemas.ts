import * as z from 'zod'

/** The schema of all options of an interface and of no others: one that is forgotten does not compile, one that is misspelt is refused. */
export const optionsOf = <O extends object>(shape: { readonly [K in keyof Required<O>]: z.ZodType }) => z.strictObject(shape)

const isFunction = (value: unknown): boolean => typeof value === 'function'
const hasRelease = (value: unknown): boolean => typeof value === 'object' && value !== null && 'release' in value

export const text = z.string()
export const maybeText = z.string().optional()
export const maybeTexts = z.array(z.string()).optional()
/** What becomes a text of a store: half a surrogate pair would be kept as another character, the same for all of them. */
export const storedText = z.string().refine((value) => value.isWellFormed(), 'is not valid text (half a surrogate pair)')
export const maybeStoredText = storedText.optional()
/** An id that a caller chooses. */
export const newId = storedText.min(1).max(1000).optional()
export const flag = z.boolean().optional()
/** A number of things from 0 on. */
export const maybeCount = z.number().int().min(0).optional()
/** A number of things of which there is one at least. */
export const maybeSome = z.number().int().min(1).optional()
/** NaN and infinities are scores too: a model may diverge. */
export const maybeScore = z
  .custom((value) => value === null || typeof value === 'number', 'expected a number, NaN and infinities among them, or null')
  .optional()
/** Milliseconds, as long as a column of 32 bits holds. */
export const maybeDuration = z.number().min(0).max(2_147_483_647).optional()
/** Milliseconds that a timer can wait: of more it would make one. */
export const maybeWait = z.number().int().min(1).max(2_147_483_647).optional()
export const signal = z.instanceof(AbortSignal).optional()
export const callback = z.custom(isFunction, 'expected a function').optional()
export const lock = z.custom(hasRelease, 'expected a lock of the workspace').optional()
export { JobId as jobId } from '../files/inside-names.ts'

export const workShape = { signal, onProgress: callback }
export const queryShape = { signal }
export const OverwriteChoice = optionsOf<{ overwrite?: boolean }>({ overwrite: flag })
