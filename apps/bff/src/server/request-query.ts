import { numeral } from '@nirs-workspace/types/filter-value'
import * as z from 'zod'
import { validationError } from './problem.ts'

/** The query string as a schema wants it: repeatable parameters are arrays, others must come once; unknown ones are refused. */
export const readQuery = <S extends z.ZodObject>(schema: S, parameters: URLSearchParams): z.output<S> => {
  const raw: Record<string, string | string[]> = Object.create(null)
  for (const name of new Set(parameters.keys())) {
    const values = parameters.getAll(name)
    const [value] = values
    raw[name] = isRepeatable(schema, name) || values.length > 1 || value === undefined ? values : value
  }
  const result = schema.safeParse({ ...raw })
  if (!result.success) throw validationError(result.error, 'query')
  return result.data
}

const isRepeatable = (schema: z.ZodObject, name: string): boolean => {
  if (!Object.hasOwn(schema.shape, name)) return false
  let inner: unknown = schema.shape[name]
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault) inner = inner.unwrap()
  return inner instanceof z.ZodArray
}

/** A number written in the query; hexadecimal, blanks, NaN and infinities are refused. */
export const queryNumber = z.string().regex(numeral, 'must be a number').transform(Number).pipe(z.number())

/** Of more digits than any number has: still a number, out of whatever bounds there are. */
const finite = (text: string): number => Math.min(Math.max(Number(text), -Number.MAX_VALUE), Number.MAX_VALUE)

/** An integer within bounds. */
export const queryInteger = (min: number, max: number) =>
  z
    .string()
    .regex(/^[+-]?\d+$/, 'must be a whole number')
    .transform(finite)
    .pipe(z.number().int().min(min).max(max))
