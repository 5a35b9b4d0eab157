import type { ExportRequest, FacetColumn, RangeColumn } from '@nirs-workspace/types'
import { isTime, isTruthColumn, longestValue, truths } from '@nirs-workspace/types/filter-value'
import * as z from 'zod'
import { queryNumber } from '../server/request-query.ts'

const truth = z.enum(truths)
const anyText = z.string().max(longestValue)

/** What a column may be filtered by: columns that are true or false by these words alone. */
export const choiceOf = (column: FacetColumn): z.ZodType<string> => (isTruthColumn(column) ? truth : anyText)

const time = z.string().refine(isTime, 'must be a date such as 2026-03-01, 2026-03-01T09:30:00 or 2026-03-01T09:30:00+02:00')

/** How the bound of a range is written in a query. */
export const boundOf = (column: RangeColumn): z.ZodType<string | number> => (column === 'created_at' ? time : queryNumber)

/** Adds an issue for every value of a filter that its column cannot have. */
export const checkFilters = ({ value: { filters }, issues }: z.core.ParsePayload<ExportRequest>): void => {
  const check = (schema: z.ZodType, input: unknown, path: PropertyKey[]) => {
    const { error } = schema.safeParse(input)
    for (const { message } of error?.issues ?? []) issues.push({ code: 'custom', message, input, path: ['filters', ...path] })
  }
  for (const column of keysOf(filters?.equals ?? {})) {
    for (const [index, value] of (filters?.equals?.[column] ?? []).entries()) check(choiceOf(column), value, ['equals', column, index])
  }
  for (const column of keysOf(filters?.ranges ?? {})) {
    const { min, max } = filters?.ranges?.[column] ?? {}
    for (const [end, bound] of Object.entries({ min, max })) {
      if (bound !== undefined) check(boundOf(column), String(bound), ['ranges', column, end])
    }
  }
}

/** The keys of an object that a schema has checked: it has no others than its type says. */
const keysOf = <K extends string>(value: Partial<Record<K, unknown>>): K[] => Object.keys(value) as K[]
