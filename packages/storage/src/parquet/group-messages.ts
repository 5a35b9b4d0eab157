import type { ColumnBlock } from './column-block.ts'
import type { ColumnForm } from './column-form.ts'

/** One column of one row group in an open file, and what the checksum of its values must be. */
export interface ChunkToRead {
  readonly form: ColumnForm
  readonly offset: number
  readonly bytes: number
  readonly values: number
  readonly checksum: string | undefined
}

/** `fd` is open for as long as the work takes: the threads of a process share their files. */
export interface GroupToRead {
  readonly fd: number
  /** The byte behind the last page of the file. */
  readonly end: number
  readonly rows: number
  readonly chunks: readonly ChunkToRead[]
}

export type GroupRequest =
  /** Every column is decoded and compared. */
  | { readonly kind: 'check'; readonly group: GroupToRead }
  /** These rows of it, ascending. */
  | { readonly kind: 'take'; readonly group: GroupToRead; readonly rows: Uint32Array }
  /** These rows of it, ascending, as a row group of these columns. */
  | { readonly kind: 'encode'; readonly group: GroupToRead; readonly rows: Uint32Array; readonly forms: readonly ColumnForm[] }

export type GroupAnswer =
  /** Why a column cannot be read, in the order of the columns; null where it is sound. */
  | { readonly kind: 'checked'; readonly reasons: readonly (string | null)[] }
  | { readonly kind: 'taken'; readonly block: readonly ColumnBlock[] }
  | { readonly kind: 'encoded'; readonly encoded: EncodedRows }
  /** A column that is not as it was written. */
  | { readonly kind: 'damaged'; readonly column: string; readonly reason: string }
  | { readonly kind: 'failed'; readonly message: string; readonly code: string | undefined; readonly syscall: string | undefined }

/** What went wrong in a thread, as it would have been thrown here. */
export const failureOf = (answer: GroupAnswer): Error =>
  answer.kind === 'failed'
    ? Object.assign(new Error(answer.message), { code: answer.code, syscall: answer.syscall })
    : new Error(`An unexpected answer: ${answer.kind}.`)

/** A row group, ready to be written. */
export interface EncodedRows {
  /** All pages with their headers, in order. */
  readonly pieces: readonly Uint8Array[]
  readonly rows: number
  /** The entry of the footer for a row group that begins at byte `encodedAt` of a file. */
  readonly metadata: Uint8Array
  /** By column, of the values before they were encoded. */
  readonly checksums: ReadonlyMap<string, string>
}

/** Not 0, which some writers leave in offsets that nobody uses. */
export const encodedAt = 4
