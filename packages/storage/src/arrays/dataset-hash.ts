import { createHash, type Hash } from 'node:crypto'
import type { NumberList } from '../engine/number-list.ts'
import type { ArrayPlaces, ArrayReader, ArrayRef } from './array-reader.ts'
import { type ArrayRow, arrayColumns } from './array-source.ts'
import { withoutHidden } from './to-binary.ts'

export interface HashOptions {
  /** Empty lists count as null, as the library's Parquet writer stores them. */
  emptyAsNull?: boolean
  signal?: AbortSignal
}

/**
 * SHA-256 over the arrays of the predictions of one dataset: for every prediction that has an array row, in order of the UTF-8 bytes of
 * its id, the id and the five lists, each with its length and which of its elements are null. Equal on both sides of a migration.
 * Streamed: any number of rows.
 */
export const hashDatasetArrays = async (
  reader: ArrayReader,
  places: ArrayPlaces,
  refs: readonly ArrayRef[],
  options: HashOptions = {},
): Promise<string> => {
  const hash = createHash('sha256')
  for await (const row of reader.loadOrdered(places, refs, { signal: options.signal }))
    updateWithRow(hash, row, options.emptyAsNull === true)
  return hash.digest('hex')
}

/** SHA-256 over the lists of one row, whatever its id; empty lists count as null. */
export const hashArrays = (row: ArrayRow): string => {
  const hash = createHash('sha256')
  updateWithLists(hash, row, true)
  return hash.digest('hex')
}

const updateWithRow = (hash: Hash, row: ArrayRow, emptyAsNull: boolean): void => {
  const id = Buffer.from(row.prediction_id)
  hash.update(unsigned32(id.length)).update(id)
  updateWithLists(hash, row, emptyAsNull)
}

const updateWithLists = (hash: Hash, row: ArrayRow, emptyAsNull: boolean): void => {
  for (const column of arrayColumns) {
    const list = row[column]
    if (list === null || (emptyAsNull && list.values.length === 0)) hash.update('null')
    else updateWithList(hash, list)
  }
}

/** Before a list with null elements stands `some`, before its values one byte for each, 1 where it is null. */
const updateWithList = (hash: Hash, { values, nulls }: NumberList): void => {
  if (nulls !== null) hash.update('some')
  hash.update(unsigned32(values.length))
  if (nulls !== null) hash.update(nulls)
  hash.update(canonicalBytes(nulls === null ? values.slice() : withoutHidden(values, nulls)))
}

const unsigned32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** Little-endian elements, every NaN as 0x7FF8000000000000; it is the caller's own copy that they are written in. */
const canonicalBytes = (own: NumberList['values']): Buffer => {
  if (own instanceof Float64Array) {
    const bits = new BigUint64Array(own.buffer)
    for (let index = 0; index < own.length; index++) if (Number.isNaN(own[index])) bits[index] = 0x7ff8000000000000n
  }
  return Buffer.from(own.buffer)
}
