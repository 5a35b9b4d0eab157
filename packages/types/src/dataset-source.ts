import * as z from 'zod'

/**
 * What a run recorded about the file of a dataset. Everything but the name may be unknown; real stores often hold the name alone. Strict: a
 * misspelt field would not be compared.
 */
export const DatasetSource = z.strictObject({
  name: z.string(),
  path: z.string().nullable().default(null),
  /** SHA-256 of the file, 64 hex digits, with or without `sha256:`. */
  hash: z.string().nullable().default(null),
  file_size: z.number().int().nonnegative().nullable().default(null),
  /** 16 hex digits over head, tail and size. */
  quick_hash: z.string().nullable().default(null),
})
export type DatasetSource = z.infer<typeof DatasetSource>

/**
 * valid: at the recorded path · relocated: elsewhere, where its name leads · found_by_hash: elsewhere, by its content · hash_mismatch: at
 * the recorded path is something else now · missing: nowhere · unreadable: there, but it cannot be examined.
 */
export const DatasetStatus = z.enum(['valid', 'relocated', 'found_by_hash', 'missing', 'hash_mismatch', 'unreadable'])
export type DatasetStatus = z.infer<typeof DatasetStatus>

export const DatasetResolution = z.object({
  name: z.string(),
  status: DatasetStatus,
  path: z.string().nullable(),
  kind: z.enum(['file', 'folder']).nullable(),
  /** The step that found `path`. */
  found_by: z.enum(['original_path', 'relative_path', 'name', 'size', 'quick_hash', 'full_hash']).nullable(),
  /** What was compared; `existence` means that nothing was recorded to compare with. */
  verified_by: z.enum(['existence', 'size', 'quick_hash', 'full_hash']).nullable(),
  /** Other copies that passed the same comparison. */
  also_at: z.array(z.string()),
  /** Where the recorded content is, when something else is at the recorded path. */
  alternative_path: z.string().nullable(),
  /** Files that may be it, but nothing recorded can tell. */
  possible: z.array(z.string()),
  /** False when part of the given folders could not be searched: "missing" is then not the last word. */
  search_complete: z.boolean(),
  detail: z.string().nullable(),
})
export type DatasetResolution = z.infer<typeof DatasetResolution>
