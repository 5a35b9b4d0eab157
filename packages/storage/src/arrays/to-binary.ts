import type { NumberList } from '../engine/number-list.ts'
import { type ArrayRow, arrayColumns } from './array-source.ts'

export const binaryArraysFormat = 'nirs-workspace/arrays/1'

interface BinaryList {
  /** Bytes from the start of the block's data. */
  readonly offset: number
  /** Number of elements. */
  readonly length: number
  readonly type: 'f64' | 'i32'
  /** Offset of one byte per element (1 = null), or null when no element is null. */
  readonly nulls: number | null
}

/**
 * Arrays as bytes for `application/octet-stream`: any number of blocks, one after the other, each holding
 *
 *   4 bytes              length H of the header, unsigned, little-endian
 *   H bytes              header: JSON in UTF-8, padded with spaces so that the data starts at a multiple of 8
 *   header.bytes bytes   data: lists of IEEE 754 binary64 (f64) or two's complement 32 bit (i32), little-endian, each padded to 8 bytes
 *
 * Header: `{format, bytes, predictions: [{prediction_id, y_proba_shape, y_true, y_pred, y_proba, sample_indices, weights}]}`, where a list
 * is null or `{offset, length, type, nulls}`. Values are bit for bit those of the store: −0, infinities and NaN payloads included.
 */
export const encodeArrays = (rows: readonly ArrayRow[]): Uint8Array => {
  const data = new DataSection()
  const predictions = rows.map((row) => ({
    prediction_id: row.prediction_id,
    y_proba_shape: row.y_proba_shape,
    ...Object.fromEntries(arrayColumns.map((column) => [column, data.add(row[column])])),
  }))
  const json = new TextEncoder().encode(JSON.stringify({ format: binaryArraysFormat, bytes: data.bytes, predictions }))
  const headerLength = aligned(4 + json.length) - 4
  const block = new Uint8Array(4 + headerLength + data.bytes)
  new DataView(block.buffer).setUint32(0, headerLength, true)
  block.fill(0x20, 4, 4 + headerLength)
  block.set(json, 4)
  data.writeTo(block.subarray(4 + headerLength))
  return block
}

const aligned = (length: number): number => Math.ceil(length / 8) * 8

class DataSection {
  bytes = 0
  readonly #parts: { offset: number; part: Uint8Array }[] = []

  add(list: NumberList | null): BinaryList | null {
    if (list === null) return null
    const { values, nulls } = list
    return {
      offset: this.#append(bytesOf(nulls === null ? values : withoutHidden(values, nulls))),
      length: values.length,
      type: values instanceof Float64Array ? 'f64' : 'i32',
      nulls: nulls === null ? null : this.#append(nulls),
    }
  }

  writeTo(target: Uint8Array): void {
    for (const { offset, part } of this.#parts) target.set(part, offset)
  }

  #append(part: Uint8Array): number {
    const offset = this.bytes
    this.#parts.push({ offset, part })
    this.bytes += aligned(part.length)
    return offset
  }
}

/** A copy: what lies under a null element is whatever the memory held before; zero, here. */
export const withoutHidden = <V extends Float64Array | Int32Array>(values: V, nulls: Uint8Array): V => {
  const cleared = values.slice()
  nulls.forEach((isNull, index) => {
    if (isNull === 1) cleared[index] = 0
  })
  return cleared as V
}

// DuckDB has no release for big-endian machines: memory is already in the order of the format.
const bytesOf = (values: Float64Array | Int32Array): Uint8Array => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
