import { arrayFileName } from '../arrays/file-name.ts'
import { StorageError } from '../errors.ts'
import { unlinkIfThere } from '../files/move-file.ts'
import { toWriteError } from '../files/write-error.ts'
import { formsWith } from '../migration/array-columns.ts'
import { ArrayFileWriter } from '../parquet/array-file-writer.ts'
import type { ColumnForm } from '../parquet/column-form.ts'
import { appendFile } from './append-file.ts'
import { type AppendContext, completed } from './append-rows.ts'
import type { ArrayWriter } from './array-operations.ts'
import type { ArrayRecord } from './array-record.ts'
import { formsOfFile, recordBatch, rowGroupBytes, rowGroupRows } from './record-batches.ts'
import { checkRecord, recordBytes } from './record-block.ts'
import { SummaryBuilder, summaryRows } from './summary-builder.ts'

/** What the writer needs of its store: room to work in, and a turn to change the workspace. */
export interface WriterHost {
  /** Takes the lock, makes the folder; until `end`. Holds nothing when it fails. */
  begin(): Promise<AppendContext>
  change<T>(work: (context: AppendContext) => Promise<T>): Promise<T>
  readonly signal: AbortSignal | undefined
  end(): Promise<void>
}

/** Rows on their way into one file of arrays/: the last ones in memory, those before in a part. */
interface Lane {
  readonly name: string
  records: ArrayRecord[]
  bytes: number
  part: { writer: ArrayFileWriter; forms: readonly ColumnForm[]; summary: SummaryBuilder } | undefined
}

/**
 * Collects rows in parts beside the array files and adds these at the end. The array files stay free for others meanwhile, and a crash
 * before `close` leaves nothing of it.
 */
export class StreamingWriter implements ArrayWriter {
  readonly #host: WriterHost
  readonly #lanes = new Map<string, Lane>()
  readonly #finished: string[] = []
  #context: AppendContext | undefined
  #turn: Promise<void> = Promise.resolve()
  #isOver = false

  constructor(host: WriterHost) {
    this.#host = host
  }

  add(record: ArrayRecord): Promise<void> {
    return this.#inTurn(async () => {
      this.#host.signal?.throwIfAborted()
      checkRecord(record)
      const context = await this.#begin()
      const name = arrayFileName(record.dataset_name)
      const lane = this.#lanes.get(name) ?? { name, records: [], bytes: 0, part: undefined }
      this.#lanes.set(name, lane)
      const bytes = recordBytes(record)
      if (lane.records.length === rowGroupRows || (lane.records.length > 0 && lane.bytes + bytes > rowGroupBytes)) {
        await this.#flush(context, lane)
      }
      lane.records.push(record)
      lane.bytes += bytes
    })
  }

  close(): Promise<number> {
    return this.#inTurn(async () => {
      this.#isOver = true
      if (this.#context === undefined) return 0
      try {
        for (const lane of this.#lanes.values()) {
          this.#host.signal?.throwIfAborted()
          await this.#flush(this.#context, lane)
          await this.#finish(lane)
        }
        let written = 0
        for (const path of this.#finished) {
          this.#host.signal?.throwIfAborted()
          written += await this.#host.change((changing) => appendFile(changing, path))
        }
        return written
      } finally {
        await this.#clean()
      }
    })
  }

  abort(): Promise<void> {
    return this.#inTurn(async () => {
      this.#isOver = true
      await this.#clean()
    })
  }

  /** One call after the other, in the order in which they came. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(async () => {
      if (this.#isOver)
        throw new StorageError('validation', 'The writer was closed. Nothing was changed.', { hint: 'Open another one for more rows.' })
      try {
        return await work()
      } catch (error) {
        throw toWriteError(error)
      }
    })
    this.#turn = result.then(
      () => undefined,
      () => undefined,
    )
    return result
  }

  async #begin(): Promise<AppendContext> {
    this.#context ??= await this.#host.begin()
    return this.#context
  }

  async #flush(context: AppendContext, lane: Lane): Promise<void> {
    if (lane.records.length === 0) return
    const known = lane.part?.forms ?? (await formsOfFile(context.folder, context.engine, lane.name))
    const batch = recordBatch(lane.records, known)
    const forms = allForms(known, batch.forms)
    // A column that is new in the middle: the rows before go into a part without it.
    if (lane.part !== undefined && forms.length > lane.part.forms.length) await this.#finish(lane)
    lane.part ??= {
      writer: await ArrayFileWriter.create(context.folder.partPath(), forms),
      forms,
      summary: new SummaryBuilder(),
    }
    for await (const { block, rows, contextOf } of batch.blocks()) {
      for (const [index, row] of summaryRows(block, rows).entries()) lane.part.summary.add(row, contextOf(index))
      await lane.part.writer.writeBlock(completed(block, forms))
    }
    lane.records = []
    lane.bytes = 0
  }

  async #finish(lane: Lane): Promise<void> {
    const { part } = lane
    if (part === undefined) return
    await part.writer.finish(part.summary.result())
    await part.writer.seal()
    this.#finished.push(part.writer.path)
    lane.part = undefined
  }

  async #clean(): Promise<void> {
    try {
      for (const { part } of this.#lanes.values()) await part?.writer.abandon()
      for (const path of this.#finished) await unlinkIfThere(path)
    } finally {
      if (this.#context !== undefined) await this.#host.end()
    }
  }
}

const allForms = (known: readonly ColumnForm[], wanted: readonly ColumnForm[]): readonly ColumnForm[] => {
  const forms = [...formsWith([]), ...known, ...wanted]
  return forms.filter(({ name }, index) => forms.findIndex((form) => form.name === name) === index)
}
