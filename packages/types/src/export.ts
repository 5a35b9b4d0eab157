import * as z from 'zod'
import { PredictionFilter } from './prediction.ts'

export const ExportFormat = z.enum(['parquet', 'zip', 'csv', 'arrow'])
export type ExportFormat = z.infer<typeof ExportFormat>
/** prediction: one row per prediction, arrays as lists · sample: one row per sample of each prediction. */
export const ExportLayout = z.enum(['prediction', 'sample'])
export type ExportLayout = z.infer<typeof ExportLayout>

export const ExportRequest = z.object({
  /** Null or absent = all datasets. */
  dataset_names: z.array(z.string()).min(1).nullish(),
  format: ExportFormat.default('parquet'),
  layout: ExportLayout.default('prediction'),
  filters: PredictionFilter.partial().optional(),
  /** Excel in French: `;` between cells, decimal comma, byte order mark. */
  csv_dialect: z.enum(['plain', 'excel-fr']).default('plain'),
})
export type ExportRequest = z.infer<typeof ExportRequest>

export const ExportedFile = z.object({
  path: z.string(),
  dataset_name: z.string(),
  rows: z.number().int(),
  bytes: z.number(),
  sha256: z.string(),
  /** What a reader of the file should know: predictions that were left out or have no arrays. */
  warnings: z.array(z.string()),
})
export type ExportedFile = z.infer<typeof ExportedFile>

/** What an export would hold, by dataset; datasets without a matching prediction are not listed. */
export const ExportCount = z.object({
  predictions: z.number().int(),
  datasets: z.array(
    z.object({
      dataset_name: z.string(),
      predictions: z.number().int(),
      /** Left out: removed predictions that the metadata still knows. */
      removed: z.number().int(),
      /** Stored without arrays: their rows have none. With one row per sample they have no rows, and are none of `predictions`. */
      without_arrays: z.number().int(),
    }),
  ),
  /** The list of removed predictions is damaged, and is not applied. */
  removals_damaged: z.boolean(),
})
export type ExportCount = z.infer<typeof ExportCount>

/** manifest.json inside every ZIP. */
export const ExportManifest = z.object({
  format: z.literal('nirs-workspace/export/1'),
  created_at: z.string(),
  workspace: z.string(),
  filters: PredictionFilter.partial().nullable(),
  files: z.array(ExportedFile),
  /** Datasets that were asked for but have no row under the filters, and so no file. */
  left_out: z.array(z.string()),
})
export type ExportManifest = z.infer<typeof ExportManifest>
