import { createHash, type Hash } from 'node:crypto'
import { createFile, type NewFile } from '../files/disk.ts'
import type { RowBlock } from './column-block.ts'
import { type ColumnForm, schemaValue } from './column-form.ts'
import { RowGroupEncoder } from './encode-row-group.ts'
import { intValue, structList, type ThriftStruct, textValue, writeStruct } from './thrift.ts'

const magic = Buffer.from('PAR1')
const createdBy = 'NIRS Workspace version 0.1.0'

/** Writes an array file row group by row group, encoded as encode-row-group.ts says. Bounded memory: what is in it is one row group. */
export class ParquetWriter {
  readonly #file: NewFile
  readonly #forms: readonly ColumnForm[]
  readonly #encoder: RowGroupEncoder
  readonly #groups: ThriftStruct[] = []
  readonly #data = createHash('sha256')
  #position = 0
  #rows = 0

  private constructor(file: NewFile, forms: readonly ColumnForm[]) {
    this.#file = file
    this.#forms = forms
    this.#encoder = new RowGroupEncoder(forms)
  }

  /** The file must not exist yet. */
  static async create(path: string, forms: readonly ColumnForm[]): Promise<ParquetWriter> {
    const writer = new ParquetWriter(await createFile(path), forms)
    try {
      await writer.#appendData([magic])
      return writer
    } catch (error) {
      await writer.abandon()
      throw error
    }
  }

  /** A block with all columns of the file, in any order. The block is not needed any more when this returns a promise; one call at a time. */
  async writeRowGroup(block: RowBlock): Promise<void> {
    const group = await this.#encoder.encode(block)
    this.#groups.push(group.metadataAt(this.#position))
    this.#rows += group.rows
    await this.#appendData(group.pieces)
  }

  /** Writes the footer and flushes the file. The SHA-256 of the bytes before the footer, to go on with. */
  async finish(): Promise<Hash> {
    const footer = Buffer.from(writeStruct(fileMetadata(this.#forms, this.#rows, this.#groups)))
    const length = Buffer.alloc(4)
    length.writeUInt32LE(footer.length)
    await this.#append([footer, length, magic])
    await this.#file.finish()
    return this.#data
  }

  /** Closes the file without a footer. */
  async abandon(): Promise<void> {
    await this.#file.close()
  }

  async #appendData(pieces: readonly Uint8Array[]): Promise<void> {
    for (const piece of pieces) this.#data.update(piece)
    await this.#append(pieces)
  }

  async #append(pieces: readonly Uint8Array[]): Promise<void> {
    await this.#file.append(pieces)
    this.#position += pieces.reduce((bytes, piece) => bytes + piece.length, 0)
  }
}

/** The footer of a file of these columns. */
export const fileMetadata = (forms: readonly ColumnForm[], rows: number, groups: readonly ThriftStruct[]): ThriftStruct => ({
  kind: 'struct',
  fields: [
    { id: 1, value: intValue(1, 'i32') },
    { id: 2, value: schemaValue(forms) },
    { id: 3, value: intValue(rows, 'i64') },
    { id: 4, value: structList(groups) },
    { id: 6, value: textValue(createdBy) },
  ],
})
