import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  type Catalog,
  type DatasetExport,
  exportDataset,
  exportZip,
  isStorageError,
  listDatasets,
  nothingInAnyDataset,
  notWritten,
  type ResolvedWorkspace,
  StorageError,
  uniqueNames,
  writeBeside,
} from '@nirs-workspace/storage'
import { type ExportedFile, type ExportFormat, ExportRequest } from '@nirs-workspace/types'
import { type Command, Option } from 'commander'
import { orCatalogGone } from './catalog-gone.ts'
import { collect } from './collect-values.ts'
import { exitCodes } from './exit-codes.ts'
import { filesToWrite, fileToWrite, folderToWrite, isExistingFolder } from './export-place.ts'
import { interruptible } from './interruptible.ts'
import { requireDatasets, requireValues } from './known-names.ts'
import { type OutputOptions, printResult, runVerb, say, UsageError } from './output.ts'
import { PartlyExported } from './partly-exported.ts'
import { formatBytes, printable } from './table.ts'
import { withCatalog } from './with-catalog.ts'

interface Options extends OutputOptions {
  output: string
  format: ExportFormat
  layout: 'prediction' | 'sample'
  csvDialect: 'plain' | 'excel-fr'
  partition: string[]
  model: string[]
  force?: boolean
}

export const addExport = (program: Command): void => {
  program
    .command('export')
    .description('datasets as files that stand on their own; all datasets when none is named')
    .argument('<path>')
    .argument('[dataset...]')
    .requiredOption('-o, --output <path>', 'a file for one dataset or a ZIP, a folder for several; never inside a workspace')
    .option('--force', 'replace files that are there already; without it they are refused')
    .addOption(new Option('--format <format>', 'of the files').choices(['parquet', 'zip', 'csv', 'arrow']).default('parquet'))
    .addOption(
      new Option('--layout <layout>', 'one row per prediction or per sample').choices(['prediction', 'sample']).default('prediction'),
    )
    .addOption(new Option('--csv-dialect <dialect>', 'of CSV files').choices(['plain', 'excel-fr']).default('plain'))
    .option('--partition <name>', 'only this partition; repeatable', collect, [])
    .option('--model <name>', 'only this model; repeatable', collect, [])
    .option('--json', 'print one JSON document')
    .action((path: string, datasets: string[], options: Options) =>
      runVerb(options, async () => {
        const files = await interruptible((signal) =>
          withCatalog(path, (catalog, resolved) => exportAll({ catalog, resolved, datasets, options, signal })),
        )
        printResult(options, { files }, () => '')
        return exitCodes.done
      }),
    )
}

interface Work {
  catalog: Catalog
  resolved: ResolvedWorkspace
  datasets: readonly string[]
  options: Options
  signal: AbortSignal
}

const exportAll = async (work: Work): Promise<ExportedFile[]> => {
  const { options, catalog } = work
  await requireDatasets(catalog, work.datasets)
  await requireValues(catalog, 'partition', options.partition)
  await requireValues(catalog, 'model_name', options.model)
  const datasets = work.datasets.length > 0 ? [...work.datasets] : (await listDatasets(catalog)).map(({ name }) => name)
  const request = ExportRequest.parse({
    ...(datasets.length === 0 ? {} : { dataset_names: datasets }),
    format: options.format,
    layout: options.layout,
    csv_dialect: options.csvDialect,
    filters: { equals: { ...chosen('partition', options.partition), ...chosen('model_name', options.model) } },
  })
  if (options.format === 'zip') return exportArchive(work, request)
  return exportFiles(work, request, options.format, datasets)
}

const chosen = (column: string, values: readonly string[]) => (values.length === 0 ? {} : { [column]: values })

/** Writes every dataset that can be written; when several were asked for and some cannot, throws `PartlyExported` at the end. */
const exportFiles = async (
  work: Work,
  request: ExportRequest,
  format: 'parquet' | 'csv' | 'arrow',
  datasets: string[],
): Promise<ExportedFile[]> => {
  const targets = await targetsFor(work.options, datasets, format, work.datasets.length === 1)
  const files: ExportedFile[] = []
  const leftOut: StorageError[] = []
  const failures: { dataset_name: string; error: StorageError }[] = []
  for (const [dataset_name, target] of targets) {
    try {
      files.push(await exportOne(work, request, { dataset_name, format, target }))
    } catch (error) {
      const known = work.signal.aborted ? stopped(error) : notWritten(target, await orCatalogGone(work.catalog, error))
      if (!isStorageError(known) || datasets.length === 1) throw known
      if (known.code === 'nothing_to_export') {
        leftOut.push(known)
        continue
      }
      failures.push({ dataset_name, error: known })
      if (work.signal.aborted) break
    }
  }
  const [first] = failures
  if (files.length === 0 && first === undefined) throw nothingInAnyDataset(leftOut)
  for (const reason of leftOut) tellLeftOut(reason)
  if (first === undefined) return files
  const failed = failures.map(({ dataset_name, error }) => ({ dataset_name, code: error.code, detail: error.message }))
  throw new PartlyExported(datasets, files, failed, first.error)
}

const stopped = (cause: unknown) => new StorageError('cancelled', 'It was stopped before it was done. Nothing was changed.', {}, cause)

const exportOne = async (
  { catalog, resolved, options, signal }: Work,
  { layout, csv_dialect, filters }: ExportRequest,
  file: Pick<DatasetExport, 'dataset_name' | 'format' | 'target'>,
): Promise<ExportedFile> => {
  const exported = await exportDataset({ resolved, catalog }, { ...file, filters, layout, csv_dialect, signal })
  tell(options, exported)
  return exported
}

const tell = (options: Options, { path, rows, bytes, warnings }: ExportedFile): void => {
  for (const warning of warnings) say(`warning: ${printable(warning)}`)
  if (options.json !== true) say(`${printable(path)}  ${rows} rows  ${formatBytes(bytes)}`)
}

/**
 * One named dataset goes to the file (or into the folder) given; several into a folder, made when it is not there. All of them are looked
 * at before the first is written.
 */
const targetsFor = async (options: Options, datasets: string[], extension: string, single: boolean): Promise<[string, string][]> => {
  const { output, force = false } = options
  const isFolder = await isExistingFolder(output)
  const [only] = datasets
  if (single && !isFolder && !output.endsWith('/') && only !== undefined) return [[only, await fileToWrite(output, force)]]
  if (!isFolder && output.endsWith(`.${extension}`) && datasets.length > 1) {
    throw new UsageError(`There are ${datasets.length} datasets: give a folder with -o, name one dataset, or use --format zip.`)
  }
  const folder = await folderToWrite(output)
  await makeFolder(folder)
  const names = uniqueNames(datasets, extension)
  const paths = await filesToWrite(
    names.map((name) => join(folder, name)),
    force,
  )
  return datasets.map((dataset, index) => [dataset, paths[index] ?? ''])
}

const makeFolder = async (folder: string): Promise<void> => {
  try {
    await mkdir(folder, { recursive: true })
  } catch (error) {
    throw notWritten(folder, error)
  }
}

const tellLeftOut = ({ message }: StorageError): void => say(`left out: ${printable(message.replace(/ Nothing was written\.$/, ''))}`)

/** An archive that is there is a whole one. */
const exportArchive = async ({ catalog, resolved, options, signal }: Work, request: ExportRequest): Promise<ExportedFile[]> => {
  const target = await fileToWrite(options.output, options.force === true)
  const files: ExportedFile[] = []
  const leftOut: StorageError[] = []
  await writeBeside(target, (beside) => {
    const archive = exportZip({ resolved, catalog }, request, {
      scratchFolder: tmpdir(),
      signal,
      onFile: (file) => files.push(file),
      onLeftOut: (reason) => leftOut.push(reason),
    })
    return pipeline(Readable.fromWeb(archive), createWriteStream(beside, { flags: 'wx' }), { signal })
  }).catch(async (error: unknown) => {
    throw await orCatalogGone(catalog, error)
  })
  for (const reason of leftOut) tellLeftOut(reason)
  for (const file of files) tell(options, file)
  return files
}
