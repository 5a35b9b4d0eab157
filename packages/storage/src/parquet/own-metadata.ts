import { crc32 } from 'node:zlib'
import * as z from 'zod'
import { jsonOrNull } from '../json/json-or-null.ts'
import { type Footer, keyValues, withKeyValues } from './footer.ts'
import { type ThriftStruct, writeStruct } from './thrift.ts'

/** What NIRS Workspace keeps in the footer of the files it writes (docs/formats.md). */
export const ownKeys = {
  schemaVersion: 'nirs_workspace.schema_version',
  summary: 'nirs_workspace.summary',
  checksums: 'nirs_workspace.checksums',
  footer: 'nirs_workspace.footer_crc32',
} as const

export const schemaVersion = '1'

/** 2: refits count in none of the figures. */
export const summaryVersion = 2

export const FileSummary = z.object({
  /** Of the summary. What is not this release's has no figures: earlier releases counted the placeholder scores of refits. */
  version: z.number().int().default(1),
  rows: z.number().int(),
  datasets: z.array(z.object({ name: z.string(), rows: z.number().int() })),
  /** Distinct values and their number of rows. */
  facets: z.record(z.string(), z.record(z.string(), z.number().int())),
  /**
   * Of val_score, per metric. `rows` and `not_finite` (missing ones too) are of all rows; `values`, `min`, `max`, `mean` and `top` of the
   * finite scores of cross-validation and of fits without folds, in the val partition: averages over folds are among them, refits and `_agg` twins are not.
   */
  metrics: z.array(
    z.object({
      metric: z.string(),
      direction: z.enum(['higher', 'lower', 'zero', 'unknown']),
      rows: z.number().int(),
      not_finite: z.number().int(),
      /** How many scores `min`, `max` and `mean` are of; null in a summary of another version. */
      values: z.number().int().nullable().default(null),
      min: z.number().nullable(),
      max: z.number().nullable(),
      mean: z.number().nullable(),
      /** The best five; none when the direction is unknown. */
      top: z.array(
        z.object({
          prediction_id: z.string(),
          dataset_name: z.string(),
          model_name: z.string(),
          fold_id: z.string(),
          val_score: z.number(),
        }),
      ),
    }),
  ),
  created_at: z.object({ first: z.string().nullable(), last: z.string().nullable() }),
  /**
   * Whether `created_at` and the facets `branch_name` and `refit_context`, which no column of the file has, are of exactly the rows that
   * count. False: rows came or went of which nobody said what they are, and those that went are counted still.
   */
  context_exact: z.boolean().default(false),
  /** Refits whose fold_id does not say that they are: only the metadata knows. */
  refits: z.array(z.object({ prediction_id: z.string(), dataset_name: z.string() })).default([]),
})
export type FileSummary = z.infer<typeof FileSummary>

export const Checksums = z.object({
  algorithm: z.literal('crc32'),
  columns: z.array(z.string()),
  /** One list per row group, in order of `columns`; empty for row groups of another program. */
  row_groups: z.array(z.array(z.string())),
  /** SHA-256 of all bytes before the footer; null when row groups were added, see `segments`. */
  data_sha256: z.string().nullable(),
  /** The bytes before the footer, piece by piece, each as it was written at one time; null for those of another program. */
  segments: z.array(z.object({ bytes: z.number().int().nonnegative(), sha256: z.string().nullable() })).optional(),
})
export type Checksums = z.infer<typeof Checksums>

/** The checksums of a file; null when it was written by something else. */
export const readChecksums = (footer: Footer): Checksums | null => parse(Checksums, keyValues(footer.metadata).get(ownKeys.checksums))

/** The bytes before the footer as pieces with their SHA-256, null where nobody has written one. */
export const segmentsOf = (checksums: Checksums | null, dataBytes: number): Segment[] =>
  checksums?.segments?.map(({ bytes, sha256 }) => ({ bytes, sha256 })) ?? [{ bytes: dataBytes, sha256: checksums?.data_sha256 ?? null }]

export interface Segment {
  readonly bytes: number
  readonly sha256: string | null
}

/** The embedded summary; null when there is none. */
export const readSummary = (footer: Footer): FileSummary | null => parseSummary(keyValues(footer.metadata).get(ownKeys.summary))

export const parseSummary = (text: string | undefined): FileSummary | null => {
  const summary = parse(FileSummary, text)
  if (summary === null || summary.version === summaryVersion) return summary
  return { ...summary, metrics: summary.metrics.map((figures) => ({ ...figures, values: null, min: null, max: null, mean: null })) }
}

export const ownEntries = (summary: FileSummary, checksums: Checksums): ReadonlyMap<string, string> =>
  new Map([
    [ownKeys.schemaVersion, schemaVersion],
    [ownKeys.summary, JSON.stringify(summary)],
    [ownKeys.checksums, JSON.stringify(checksums)],
  ])

/** The same footer with a checksum over itself, which must be the last thing that is written into it. */
export const sealed = (metadata: ThriftStruct): ThriftStruct =>
  withKeyValues(metadata, new Map([[ownKeys.footer, crcWithoutSeal(metadata)]]))

/** Whether nothing in a footer has changed since it was sealed; true for footers without a seal. */
export const isSealIntact = (metadata: ThriftStruct): boolean => {
  const seal = keyValues(metadata).get(ownKeys.footer)
  return seal === undefined || seal === crcWithoutSeal(metadata)
}

const crcWithoutSeal = (metadata: ThriftStruct): string =>
  crc32(writeStruct(withKeyValues(metadata, new Map([[ownKeys.footer, '']]))))
    .toString(16)
    .padStart(8, '0')

const parse = <S extends z.ZodType>(schema: S, text: string | undefined): z.output<S> | null => {
  if (text === undefined) return null
  const parsed = schema.safeParse(jsonOrNull(text))
  return parsed.success ? parsed.data : null
}
