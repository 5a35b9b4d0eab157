import * as z from 'zod'
import { floatList, integerList, type NumberList } from '../engine/number-list.ts'
import { isArrayFileColumn, listColumns } from '../migration/array-columns.ts'
import { checkGiven } from '../options/check-options.ts'
import { bytesOf, type ColumnBlock, type RowBlock } from '../parquet/column-block.ts'
import { type ColumnForm, isList } from '../parquet/column-form.ts'
import type { ArrayRecord, ExtraInput, FloatInput, IntegerInput } from './array-record.ts'
import { heldBy, invalid, isListInput } from './record-columns.ts'

/** Refuses what could not be found again or does not fit together. */
export const checkRecord = (record: ArrayRecord): void => {
  checkGiven(z.object({}), record, 'the record')
  const { prediction_id, dataset_name } = record
  if (typeof prediction_id !== 'string' || prediction_id === '') throw invalid(record, 'it has no prediction_id')
  if (typeof dataset_name !== 'string') throw invalid(record, 'it has no dataset_name')
  const unknown = Object.keys(record).find((name) => !isArrayFileColumn(name) && name !== 'extra' && name !== 'about')
  if (unknown !== undefined)
    throw invalid(record, `there is no column ${JSON.stringify(unknown.slice(0, 100))}; columns of later releases go into extra`)
  for (const name of listColumns) {
    if (record[name] != null && !isListInput(record[name])) throw invalid(record, `${name} must be a list of numbers`)
  }
  checkShape(record)
}

const checkShape = (record: ArrayRecord): void => {
  const shape = listOf(record, { name: 'y_proba_shape', type: 'INTEGER[]' })
  const proba = listOf(record, { name: 'y_proba', type: 'DOUBLE[]' })?.values
  if (shape === null || shape.values.length === 0) return
  if (shape.nulls?.includes(1) || shape.values.some((size) => size < 0)) {
    throw invalid(record, 'y_proba_shape holds something that is not a number from 0 on')
  }
  const places = Array.from(shape.values).reduce((product, size) => product * size, 1)
  if (proba === undefined || places !== proba.length) {
    throw invalid(record, `y_proba has ${proba?.length ?? 0} values, its shape says ${places}`)
  }
  // A single number is the length of a list that has lost its shape; several targets lie one after the other in y_true.
  const [samples = 0, ...others] = shape.values
  const measured = listOf(record, { name: 'y_true', type: 'DOUBLE[]' })?.values.length ?? 0
  if (others.length > 0 && measured > 0 && (samples === 0 || measured % samples !== 0)) {
    throw invalid(record, `y_true has ${measured} values, the shape of y_proba says ${samples} samples`)
  }
}

/** Records as columns, bit for bit. What a record lacks is null. Fails with `validation` on what a column cannot hold. */
export const recordBlock = (records: readonly ArrayRecord[], forms: readonly ColumnForm[]): RowBlock =>
  forms.map((form) => {
    if (isList(form)) return listBlock(records, form)
    return form.type === 'VARCHAR' ? textBlock(records, form) : numberBlock(records, form)
  })

/** Bytes that the values of a record take, about. */
export const recordBytes = (record: ArrayRecord): number =>
  [
    record.y_true,
    record.y_pred,
    record.y_proba,
    record.sample_indices,
    record.weights,
    ...Object.values(record.extra ?? {}),
  ].reduce<number>(
    (bytes, value) => bytes + (value === null || value === undefined || typeof value === 'number' ? 8 : 8 * lengthOf(value)),
    200,
  )

/** Characters of a text, elements of a list. */
export const lengthOf = (value: string | FloatInput | IntegerInput): number => (isNumberList(value) ? value.values.length : value.length)

const textBlock = (records: readonly ArrayRecord[], form: ColumnForm): ColumnBlock => {
  const texts = records.map((record) => textOf(record, form.name))
  const lengths = Uint32Array.from(texts, (text) => (text === null ? 0 : Buffer.byteLength(text)))
  const values = Buffer.from(texts.map((text) => text ?? '').join(''), 'utf8')
  return { name: form.name, width: 1, rows: records.length, valid: validOf(texts), lengths, values, nulls: null }
}

const textOf = (record: ArrayRecord, name: string): string | null => {
  const value = heldBy(record, name)
  if (value === null) return null
  if (typeof value !== 'string') throw invalid(record, `${name} must be text`)
  // Half a surrogate pair has no UTF-8: it would come back as another text.
  if (!value.isWellFormed()) throw invalid(record, `${name} is not valid text (half a surrogate pair)`)
  return value
}

const numberBlock = (records: readonly ArrayRecord[], form: ColumnForm): ColumnBlock => {
  const numbers = records.map((record) => numberOf(record, form))
  const values = form.type === 'INTEGER' ? Int32Array.from(numbers, (one) => one ?? 0) : Float64Array.from(numbers, (one) => one ?? 0)
  const width = form.type === 'INTEGER' ? 4 : 8
  return { name: form.name, width, rows: records.length, valid: validOf(numbers), lengths: null, values: bytesOf(values), nulls: null }
}

const numberOf = (record: ArrayRecord, { name, type }: ColumnForm): number | null => {
  const value = heldBy(record, name)
  if (value === null) return null
  if (typeof value !== 'number') throw invalid(record, `${name} must be a number`)
  if (type === 'INTEGER' && !isInteger(value)) throw invalid(record, `${name} must be a whole number of 32 bits`)
  return value
}

const listBlock = (records: readonly ArrayRecord[], form: ColumnForm): ColumnBlock => {
  const lists = records.map((record) => listOf(record, form))
  const lengths = Uint32Array.from(lists, (list) => list?.values.length ?? 0)
  const hasNulls = lists.some((list) => list?.nulls?.includes(1) === true)
  const present = lists.flatMap((list) => (list === null ? [] : [list]))
  return {
    name: form.name,
    width: form.type === 'INTEGER[]' ? 4 : 8,
    rows: records.length,
    valid: validOf(lists),
    lengths,
    values: Buffer.concat(present.map(elementBytes)),
    nulls: hasNulls ? Buffer.concat(present.map((list) => list.nulls ?? new Uint8Array(list.values.length))) : null,
  }
}

/** Null elements as zero bytes. */
const elementBytes = ({ values, nulls }: NumberList): Uint8Array => {
  if (nulls?.includes(1) !== true) return bytesOf(values)
  const zeroed = values.slice()
  nulls.forEach((one, index) => {
    if (one === 1) zeroed[index] = 0
  })
  return bytesOf(zeroed)
}

const listOf = (record: ArrayRecord, { name, type }: ColumnForm): NumberList | null => {
  const value = heldBy(record, name)
  if (value === null) return null
  if (typeof value === 'string' || typeof value === 'number' || !isListInput(value))
    throw invalid(record, `${name} must be a list of numbers`)
  const list = isNumberList(value) ? value : isTyped(value) ? { values: value, nulls: null } : plainList(record, name, type, value)
  const isInteger32 = list.values instanceof Int32Array
  if (isInteger32 !== (type === 'INTEGER[]'))
    throw invalid(record, `${name} must be a list of ${isInteger32 ? 'doubles' : 'integers of 32 bits'}`)
  if (list.nulls !== null && list.nulls.length !== list.values.length)
    throw invalid(record, `${name} does not say of every element if it is null`)
  return list
}

const plainList = (record: ArrayRecord, name: string, type: string, elements: readonly (number | null)[]): NumberList => {
  for (const element of elements) {
    if (element === null) continue
    if (typeof element !== 'number') throw invalid(record, `${name} holds something that is not a number`)
    if (type === 'INTEGER[]' && !isInteger(element)) throw invalid(record, `${name} holds something that is not a whole number of 32 bits`)
  }
  return type === 'INTEGER[]' ? integerList(elements) : floatList(elements)
}

const isInteger = (value: number): boolean => (value | 0) === value && !Object.is(value, -0)

const isTyped = (value: FloatInput | IntegerInput): value is Float64Array | Int32Array =>
  value instanceof Float64Array || value instanceof Int32Array

const isNumberList = (value: Exclude<ExtraInput, number | null>): value is Extract<FloatInput | IntegerInput, NumberList> =>
  typeof value === 'object' && !Array.isArray(value) && !ArrayBuffer.isView(value) && 'nulls' in value

const validOf = (values: readonly unknown[]): Uint8Array => Uint8Array.from(values, (value) => (value === null ? 0 : 1))
