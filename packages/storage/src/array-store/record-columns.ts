import { StorageError } from '../errors.ts'
import { arrayFileColumns, isArrayFileColumn } from '../migration/array-columns.ts'
import type { ColumnForm, ColumnType } from '../parquet/column-form.ts'
import type { ArrayRecord, ExtraInput } from './array-record.ts'

/** The columns that these records need beyond those that every file has: those of later releases that hold anything. */
export const extraForms = (records: readonly ArrayRecord[], known: readonly ColumnForm[]): ColumnForm[] => {
  const forms = new Map<string, ColumnForm>()
  const taken = new Map([...Object.keys(arrayFileColumns), ...known.map(({ name }) => name)].map((name) => [name.toLowerCase(), name]))
  for (const record of records) {
    for (const [name, value] of Object.entries(record.extra ?? {})) {
      checkName(record, name, taken.get(name.toLowerCase()))
      if (value !== null && typeof value !== 'string' && typeof value !== 'number' && !isListInput(value)) {
        throw invalid(record, `${name} must be text, a number or a list of numbers`)
      }
      if (value === null || forms.has(name) || known.some((form) => form.name === name)) continue
      forms.set(name, { name, type: typeOf(value) })
      taken.set(name.toLowerCase(), name)
    }
  }
  return [...forms.values()]
}

// Engines that read these files tell columns apart without regard to case.
const checkName = (record: ArrayRecord, name: string, taken: string | undefined): void => {
  if (name === '' || name.length > 200 || !name.isWellFormed() || name.toLowerCase() === 'file_row_number') {
    throw invalid(record, `a column cannot be called ${JSON.stringify(name.slice(0, 50))}`)
  }
  if (isArrayFileColumn(name)) throw invalid(record, `${name} is a column of its own, not an extra one`)
  if (taken !== undefined && taken !== name) throw invalid(record, `the columns ${name} and ${taken} differ in case alone`)
}

/** Whether a value, whatever it is declared as, can be a list: plain, typed, or one that says which elements are null. */
export const isListInput = (value: unknown): boolean => {
  if (Array.isArray(value) || isTyped(value)) return true
  if (typeof value !== 'object' || value === null || !('values' in value) || !('nulls' in value)) return false
  return isTyped(value.values) && (value.nulls === null || value.nulls instanceof Uint8Array)
}

const isTyped = (value: unknown): boolean => value instanceof Float64Array || value instanceof Int32Array

const typeOf = (value: Exclude<ExtraInput, null>): ColumnType => {
  if (typeof value === 'string') return 'VARCHAR'
  if (typeof value === 'number') return 'DOUBLE'
  const values = 'values' in value && typeof value.values !== 'function' ? value.values : value
  return values instanceof Int32Array ? 'INTEGER[]' : 'DOUBLE[]'
}

/** What a record holds under this name. */
export const heldBy = (record: ArrayRecord, name: string): ExtraInput =>
  (isArrayFileColumn(name) ? record[name] : ownValue(record.extra, name)) ?? null

const ownValue = (extra: ArrayRecord['extra'], name: string): ExtraInput | undefined =>
  extra !== undefined && Object.hasOwn(extra, name) ? extra[name] : undefined

export const invalid = (record: ArrayRecord, what: string): StorageError =>
  new StorageError(
    'validation',
    `The arrays of prediction ${JSON.stringify(String(record.prediction_id).slice(0, 80))} cannot be saved: ${what}. Nothing was changed.`,
    { ids: [String(record.prediction_id)], hint: 'Change or leave out what is named; none of the batch was saved.' },
  )
