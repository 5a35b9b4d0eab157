// Time that zstd at level 3 needs on one core for the bytes of all arrays of a legacy workspace, column by column.
import { constants, zstdCompressSync } from 'node:zlib'
import {
  type ArrayColumn,
  type ArrayRow,
  arrayColumns,
  attachReadOnly,
  resolveWorkspace,
  withArrayReader,
  withEngine,
} from '@nirs-workspace/storage'
import * as z from 'zod'
import { answer, childArgument } from './answer.ts'

const PIECE = 16 * 2 ** 20
const level3 = { params: { [constants.ZSTD_c_compressionLevel]: 3 } }

const resolved = await resolveWorkspace(childArgument(0))
const Id = z.object({ prediction_id: z.string() })

const pieces = new Map<ArrayColumn, { bytes: Uint8Array; used: number }>(
  arrayColumns.map((column) => [column, { bytes: new Uint8Array(PIECE), used: 0 }]),
)
let bytes = 0
let compressed = 0
let milliseconds = 0

const compress = (piece: { bytes: Uint8Array; used: number }) => {
  const started = performance.now()
  compressed += zstdCompressSync(piece.bytes.subarray(0, piece.used), level3).length
  milliseconds += performance.now() - started
  bytes += piece.used
  piece.used = 0
}

const add = (column: ArrayColumn, row: ArrayRow) => {
  const list = row[column]
  const piece = pieces.get(column)
  if (list === null || piece === undefined) return
  const { values } = list
  if (piece.used + values.byteLength > PIECE) compress(piece)
  piece.bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), piece.used)
  piece.used += values.byteLength
}

const ids = await withEngine({}, async (engine) => {
  await attachReadOnly(engine, resolved.duckdb ?? '', 'store')
  return engine.rows(Id, 'SELECT prediction_id FROM store.prediction_arrays')
})
await withArrayReader({}, async (reader) => {
  const refs = ids.map(({ prediction_id }) => ({ prediction_id, array_source: 'table' }))
  for await (const batch of reader.load(resolved, refs)) for (const row of batch) for (const column of arrayColumns) add(column, row)
})
for (const piece of pieces.values()) compress(piece)
answer({ bytes, compressed, compress_ms: milliseconds, rows: ids.length })
