import { AsyncByteQueue, RecordBatchFileWriter } from 'apache-arrow'
import { quotedIdentifier } from '../engine/attach-store.ts'
import type { Engine } from '../engine/open-engine.ts'
import { streamChunks } from '../engine/stream-chunks.ts'
import { arrowBatch, arrowExportType, arrowSchema } from './arrow-batch.ts'
import type { ExportQuery } from './export-query.ts'
import { writePieces } from './write-stream.ts'

/** Writes an Arrow IPC file (Feather version 2), one record batch per 2 048 rows; returns the number of rows. */
export const writeArrow = async (
  engine: Engine,
  query: ExportQuery,
  path: string,
  metadata: ReadonlyMap<string, string>,
  signal?: AbortSignal,
): Promise<number> => {
  const casts = query.columns.map(({ name, type }) => `${quotedIdentifier(name)}::${arrowExportType(type)}`)
  const schema = arrowSchema(query.columns, metadata)
  let rows = 0
  const pieces = async function* () {
    const sink = new PieceSink()
    const writer = new RecordBatchFileWriter()
    writer.reset(sink, schema)
    for await (const chunk of streamChunks(engine, `SELECT ${casts.join(', ')} FROM (${query.sql})`, {}, signal)) {
      writer.write(arrowBatch(schema, query.columns, chunk))
      rows += chunk.rowCount
      yield* sink.take()
    }
    writer.finish()
    yield* sink.take()
  }
  await writePieces(path, pieces())
  return rows
}

/** Hands over what was written so far, so that no more than one batch is in memory. */
class PieceSink extends AsyncByteQueue {
  #pieces: Uint8Array[] = []

  override write(value: ArrayBuffer | ArrayBufferView): void {
    const view = ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : new Uint8Array(value)
    this.#pieces.push(view)
  }

  take(): Uint8Array[] {
    const pieces = this.#pieces
    this.#pieces = []
    return pieces
  }
}
