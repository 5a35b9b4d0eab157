import type { RowBlock } from './column-block.ts'
import type { GroupDigest } from './group-digest.ts'

/** What the reading thread is asked to do, in order. */
export type ReaderRequest =
  | { readonly kind: 'open'; readonly path: string; readonly skippedIds: readonly string[] }
  | { readonly kind: 'row-group'; readonly index: number; readonly withValues: boolean }
  /** As `row-group` without values; its rows count for the digests of `finish`. */
  | { readonly kind: 'digest'; readonly index: number }
  | { readonly kind: 'finish' }
  /** Closes whatever is open. */
  | { readonly kind: 'release' }

export interface DatasetFigures {
  readonly sha256: string
  readonly rows: number
  readonly values: number
}

export type ReaderAnswer =
  | { readonly kind: 'opened'; readonly rowGroups: number }
  | { readonly kind: 'row-group'; readonly block: RowBlock; readonly checksums: ReadonlyMap<string, string> }
  | { readonly kind: 'digest'; readonly digest: GroupDigest }
  | { readonly kind: 'finished'; readonly datasets: ReadonlyMap<string, DatasetFigures> }
  /** `memory`: bytes that the decoder has taken, and never gives back. */
  | { readonly kind: 'released'; readonly memory: number }
  | { readonly kind: 'failed'; readonly message: string }
