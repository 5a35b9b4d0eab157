import * as z from 'zod'
import type { FloatList, IntegerList } from '../engine/number-list.ts'
import type { ArrayRow } from './array-source.ts'
import { binaryArraysFormat } from './to-binary.ts'

const count = z.number().int().nonnegative()
const list = <T extends 'f64' | 'i32'>(type: T) =>
  z.object({ offset: count, length: count, type: z.literal(type), nulls: count.nullable() }).nullable()
const Header = z.object({
  format: z.literal(binaryArraysFormat),
  bytes: count,
  predictions: z.array(
    z.object({
      prediction_id: z.string(),
      y_proba_shape: z.array(z.number().int()).nullable(),
      y_true: list('f64'),
      y_pred: list('f64'),
      y_proba: list('f64'),
      sample_indices: list('i32'),
      weights: list('f64'),
    }),
  ),
})
type BinaryList = z.infer<ReturnType<typeof list<'f64' | 'i32'>>>

/** The rows of all blocks that `encodeArrays` wrote, bit for bit, for little-endian machines. Throws on anything else. */
export const decodeArrays = (bytes: Uint8Array): ArrayRow[] => {
  const rows: ArrayRow[] = []
  for (let start = 0; start < bytes.length; ) {
    const headerLength = new DataView(bytes.buffer, bytes.byteOffset + start, 4).getUint32(0, true)
    const dataStart = start + 4 + headerLength
    const header = Header.parse(JSON.parse(new TextDecoder().decode(bytes.subarray(start + 4, dataStart))))
    // A copy of its own, aligned to 8 bytes; slice() of a Buffer would be a view.
    const data = new Uint8Array(bytes.subarray(dataStart, dataStart + header.bytes)).buffer
    for (const prediction of header.predictions) {
      rows.push({
        prediction_id: prediction.prediction_id,
        y_proba_shape: prediction.y_proba_shape,
        y_true: floats(data, prediction.y_true),
        y_pred: floats(data, prediction.y_pred),
        y_proba: floats(data, prediction.y_proba),
        sample_indices: integers(data, prediction.sample_indices),
        weights: floats(data, prediction.weights),
      })
    }
    start = dataStart + header.bytes
  }
  return rows
}

const nullsOf = (data: ArrayBuffer, entry: NonNullable<BinaryList>): Uint8Array | null =>
  entry.nulls === null ? null : new Uint8Array(data, entry.nulls, entry.length)

const floats = (data: ArrayBuffer, entry: BinaryList): FloatList | null =>
  entry === null ? null : { values: new Float64Array(data, entry.offset, entry.length), nulls: nullsOf(data, entry) }

const integers = (data: ArrayBuffer, entry: BinaryList): IntegerList | null =>
  entry === null ? null : { values: new Int32Array(data, entry.offset, entry.length), nulls: nullsOf(data, entry) }
