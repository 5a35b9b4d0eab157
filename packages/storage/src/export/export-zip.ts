import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { type ExportedFile, type ExportManifest, ExportRequest, PredictionFilter } from '@nirs-workspace/types'
import { makeZip } from 'client-zip'
import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { isStorageError, StorageError } from '../errors.ts'
import { makeFolder, removeTree, unlink } from '../files/disk.ts'
import { checkGiven } from '../options/check-options.ts'
import { callback, optionsOf, signal, text } from '../options/option-schemas.ts'
import { whereClause } from '../predictions/filter-clause.ts'
import { type ExportContext, type FileFormat, openExportEngine } from './export-context.ts'
import { exportWith } from './export-dataset.ts'
import { exportFormat } from './export-metadata.ts'
import { uniqueNames } from './export-names.ts'
import { nothingInAnyDataset } from './nothing-to-export.ts'
import { refuseUnreadable } from './refuse-unreadable.ts'

export interface ZipOptions {
  /** Where one dataset at a time is written before it enters the archive; a folder of our own is made and removed inside. */
  readonly scratchFolder: string
  readonly signal?: AbortSignal | undefined
  /** Called when a dataset has been added. */
  readonly onFile?: (file: ExportedFile) => void
  /** Called with the reason why a dataset has no row under the filters and is left out. */
  readonly onLeftOut?: (reason: StorageError) => void
}

const Dataset = z.object({ dataset_name: z.string() })

const Options = optionsOf<ZipOptions>({ scratchFolder: text, signal, onFile: callback, onLeftOut: callback })

/**
 * A ZIP archive as it is made: one file per dataset, `manifest.json` last with name, rows, bytes, SHA-256 and warnings of each. Not compressed: the
 * files are. Entry names are plain file names, different on every file system. When the reader stops or anything fails, the stream ends
 * with the error and the scratch folder is empty again. Datasets without a row under the filters are left out; the manifest names them. What
 * is known beforehand fails before the first byte: `dataset_not_found`, `nothing_to_export` when every dataset is left out, and
 * `arrays_corrupt` or `arrays_missing` for rows whose file cannot be read.
 */
export const exportZip = (context: ExportContext, request: ExportRequest, options: ZipOptions): ReadableStream<Uint8Array> => {
  checkGiven(ExportRequest.strict(), request, 'the request')
  checkGiven(Options, options)
  const stopping = new AbortController()
  const signal = AbortSignal.any([stopping.signal, ...(options.signal === undefined ? [] : [options.signal])])
  const entries = zipEntries(context, request, { ...options, signal })
  const reader = makeZip(entries, { buffersAreUTF8: true }).getReader()
  const stop = async (reason: unknown): Promise<void> => {
    stopping.abort(reason)
    await Promise.allSettled([reader.cancel(reason), entries.return(undefined)])
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (done) controller.close()
          else controller.enqueue(value)
        } catch (error) {
          await stop(error)
          controller.error(error)
        }
      },
      cancel: stop,
    },
    { highWaterMark: 0 },
  )
}

async function* zipEntries(context: ExportContext, request: ExportRequest, options: ZipOptions) {
  const folder = join(options.scratchFolder, `export-${randomUUID()}`)
  await makeFolder(folder)
  try {
    const engine = await openExportEngine(context)
    try {
      yield* datasetEntries(engine, context, request, options, folder)
    } finally {
      engine.close()
    }
  } finally {
    await removeTree(folder)
  }
}

async function* datasetEntries(engine: Engine, context: ExportContext, request: ExportRequest, options: ZipOptions, folder: string) {
  const createdAt = new Date()
  const format: FileFormat = request.format === 'zip' ? 'parquet' : request.format
  const datasets = await chosenDatasets(engine, request)
  await refuseUnreadable(engine, datasets, whereClause(PredictionFilter.parse(request.filters ?? {})))
  const names = uniqueNames(datasets, format)
  const files: ExportedFile[] = []
  const leftOut: string[] = []
  const reasons: StorageError[] = []
  for (const [index, dataset_name] of datasets.entries()) {
    const { layout, csv_dialect, filters } = request
    const target = join(folder, `${index}.${format}`)
    const order = { dataset_name, filters, format, layout, csv_dialect, target, signal: options.signal }
    const exported = await unlessEmpty(exportWith(engine, context, order))
    if (exported instanceof StorageError) {
      leftOut.push(dataset_name)
      reasons.push(exported)
      options.onLeftOut?.(exported)
      continue
    }
    const { rows, bytes, sha256, warnings } = exported
    const name = names[index] ?? exported.path
    const input = createReadStream(target)
    try {
      yield { name, input, size: bytes, lastModified: createdAt }
    } finally {
      input.destroy()
    }
    await unlink(target)
    const file = { path: name, dataset_name, rows, bytes, sha256, warnings }
    files.push(file)
    options.onFile?.(file)
  }
  if (files.length === 0) throw nothingInAnyDataset(reasons)
  const manifest: ExportManifest = {
    format: exportFormat,
    created_at: createdAt.toISOString(),
    workspace: context.resolved.name,
    filters: request.filters ?? null,
    files,
    left_out: leftOut,
  }
  yield { name: 'manifest.json', input: `${JSON.stringify(manifest, null, 2)}\n`, lastModified: createdAt }
}

/** What was made, or why there is nothing to make. */
const unlessEmpty = async <T>(work: Promise<T>): Promise<T | StorageError> => {
  try {
    return await work
  } catch (error) {
    if (isStorageError(error, 'nothing_to_export')) return error
    throw error
  }
}

const chosenDatasets = async (engine: Engine, request: ExportRequest): Promise<string[]> => {
  const rows = await engine.rows(Dataset, 'SELECT DISTINCT dataset_name FROM catalog.main.predictions ORDER BY dataset_name')
  const known = rows.map((row) => row.dataset_name)
  const wanted = request.dataset_names ?? known
  const unknown = wanted.find((name) => !known.includes(name))
  if (unknown === undefined) return [...new Set(wanted)]
  throw new StorageError('dataset_not_found', `There is no dataset named ${JSON.stringify(unknown)}.`, { hint: 'List the datasets first.' })
}
