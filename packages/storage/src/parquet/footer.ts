import { constants, fstatSync } from 'node:fs'
import { type FileHandle, lstat, open } from 'node:fs/promises'
import { StorageError, systemCode } from '../errors.ts'
import { replaceTail } from '../files/disk.ts'
import { fieldOf, readStruct, structList, type ThriftStruct, type ThriftValue, textValue, withField, writeStruct } from './thrift.ts'

/** A Parquet footer: where it starts, and all of it as a Thrift tree that is written back byte for byte. */
export interface Footer {
  /** Byte at which the footer begins; the data pages end here. */
  readonly start: number
  readonly fileBytes: number
  /** The footer as it stands in the file, without what is behind it. */
  readonly bytes: Buffer
  readonly metadata: ThriftStruct
}

// Field numbers of FileMetaData, RowGroup and KeyValue in the Parquet specification.
const fields = { schema: 2, numRows: 3, rowGroups: 4, keyValues: 5, rowGroupRows: 3, key: 1, value: 2, schemaName: 4 } as const
const magic = 'PAR1'
const trailerBytes = 8
const largestFooter = 256 * 1024 * 1024
// Most are shorter, and are there after one trip to the disk.
const usualFooter = 16 * 1024

/** Reads the footer of a regular file; `arrays_corrupt`, with the cause, when there is none. Links, pipes and folders are not opened. */
export const readFooter = async (path: string): Promise<Footer> => {
  try {
    const handle = await openRegular(path)
    try {
      return await readFooterFrom(handle)
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof FooterError || (error instanceof Error && error.name === 'ThriftError')) throw corrupt(path, error)
    throw error
  }
}

// Flags as well, should a pipe or a link be put in its place meanwhile: opening a pipe would wait for a writer.
const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

const openRegular = async (path: string): Promise<FileHandle> => {
  if (!(await lstat(path)).isFile()) throw new FooterError('it is no regular file')
  try {
    return await open(path, flags)
  } catch (error) {
    if (['ELOOP', 'ENXIO', 'ENODEV'].includes(systemCode(error) ?? '')) throw new FooterError('it is no regular file')
    throw error
  }
}

export const rowCount = (metadata: ThriftStruct): number => intOf(fieldOf(metadata, fields.numRows))

/** Rows of every row group, in order. */
export const rowGroupSizes = (metadata: ThriftStruct): number[] =>
  structsOf(fieldOf(metadata, fields.rowGroups)).map((group) => intOf(fieldOf(group, fields.rowGroupRows)))

/** Names of the top-level columns, in file order. */
export const columnNames = (metadata: ThriftStruct): string[] => {
  const [root, ...elements] = structsOf(fieldOf(metadata, fields.schema))
  const names: string[] = []
  let position = 0
  const childrenOf = (element: ThriftStruct | undefined) => (element === undefined ? 0 : intOf(fieldOf(element, 5)))
  const skip = (): void => {
    const element = elements[position]
    position += 1
    for (let child = childrenOf(element); child > 0 && position < elements.length; child--) skip()
  }
  for (let column = 0; column < childrenOf(root) && position < elements.length; column++) {
    names.push(textOf(fieldOf(elements[position] ?? emptyStruct, fields.schemaName)))
    skip()
  }
  return names
}

export const keyValues = (metadata: ThriftStruct): Map<string, string> =>
  new Map(
    structsOf(fieldOf(metadata, fields.keyValues)).map((pair) => [textOf(fieldOf(pair, fields.key)), textOf(fieldOf(pair, fields.value))]),
  )

/** The same footer with these entries set; entries of other programs stay, in their order. */
export const withKeyValues = (metadata: ThriftStruct, entries: ReadonlyMap<string, string>): ThriftStruct => {
  const kept = structsOf(fieldOf(metadata, fields.keyValues)).filter((pair) => !entries.has(textOf(fieldOf(pair, fields.key))))
  const added = [...entries].map(
    ([key, value]): ThriftStruct => ({
      kind: 'struct',
      fields: [
        { id: fields.key, value: textValue(key) },
        { id: fields.value, value: textValue(value) },
      ],
    }),
  )
  return withField(metadata, fields.keyValues, structList([...kept, ...added]))
}

/**
 * Replaces the footer of a file that nobody reads yet and flushes the file. Data pages stay where they are: offsets in the footer count
 * from the start of the file. Returns the bytes that now stand there.
 */
export const writeFooter = async (path: string, footer: Footer, metadata: ThriftStruct): Promise<Uint8Array> => {
  const tail = footerBytes(metadata)
  await replaceTail(path, footer.start, tail)
  return tail
}

/** What stands behind the data pages: the footer, its length, the end mark. */
export const footerBytes = (metadata: ThriftStruct): Uint8Array => {
  const body = writeStruct(metadata)
  const tail = Buffer.alloc(body.length + trailerBytes)
  tail.set(body)
  tail.writeUInt32LE(body.length, body.length)
  tail.write(magic, body.length + 4, 'latin1')
  return tail
}

/** As `readFooter`, of an open file, which stays open; fails with plain errors that say what is wrong. */
export const readFooterFrom = async (handle: FileHandle): Promise<Footer> => {
  const status = fstatSync(handle.fd)
  if (!status.isFile()) throw new FooterError('it is no regular file')
  const { size } = status
  if (size < trailerBytes + magic.length) throw new FooterError(`the file has ${size} bytes`)
  const tail = await readEnd(handle, size, Math.min(size, usualFooter))
  const trailer = tail.subarray(-trailerBytes)
  if (trailer.toString('latin1', 4) !== magic) throw new FooterError('the end of the file is missing')
  const length = trailer.readUInt32LE(0)
  const start = size - trailerBytes - length
  if (start < magic.length || length > largestFooter) throw new FooterError(`the footer says it has ${length} bytes`)
  const isWhole = length + trailerBytes <= tail.length
  const bytes = (isWhole ? tail : await readEnd(handle, size, length + trailerBytes)).subarray(-length - trailerBytes, -trailerBytes)
  const { struct, length: used } = readStruct(bytes)
  if (used !== length) throw new FooterError('the footer does not fill its place')
  return { start, fileBytes: size, bytes, metadata: struct }
}

/** The last bytes of a file of this size. */
const readEnd = async (handle: FileHandle, size: number, length: number): Promise<Buffer> => {
  const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, size - length)
  if (bytesRead !== length) throw new FooterError('the file ends too early')
  return buffer
}

class FooterError extends Error {}

const corrupt = (path: string, cause: Error) =>
  new StorageError(
    'arrays_corrupt',
    `${path.split(/[/\\]/).at(-1)} is not a readable Parquet file: ${cause.message}. Nothing was changed.`,
    { path, hint: 'Restore the file from a backup.' },
    cause,
  )

const emptyStruct: ThriftStruct = { kind: 'struct', fields: [] }

const structsOf = (value: ThriftValue | undefined): ThriftStruct[] =>
  value?.kind === 'list' ? value.items.filter((item) => item.kind === 'struct') : []

const intOf = (value: ThriftValue | undefined): number => (value?.kind === 'int' ? Number(value.value) : 0)

const textOf = (value: ThriftValue | undefined): string => (value?.kind === 'binary' ? Buffer.from(value.bytes).toString('utf8') : '')
