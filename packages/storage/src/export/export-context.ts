import type { ExportLayout, ExportRequest } from '@nirs-workspace/types'
import type { ArrayPlaces } from '../arrays/array-reader.ts'
import { attachReadOnly } from '../engine/attach-store.ts'
import { Engine, type EngineOptions } from '../engine/open-engine.ts'

/** What an export reads: the places of the workspace, and the file of its catalog. */
export interface ExportContext {
  readonly resolved: ArrayPlaces & { readonly name: string }
  readonly catalog: { readonly file: { readonly path: string } }
  /** Memory and threads of the engine that does the work. Default: half a gigabyte; rows with arrays are always written by one thread. */
  readonly engine?: EngineOptions
}

/** An engine of our own with the catalog attached as `catalog`: the one that browsing uses may not open other files. */
export const openExportEngine = async (context: ExportContext): Promise<Engine> => {
  const engine = await Engine.open({ memoryLimit: '512MB', ...context.engine })
  try {
    await attachReadOnly(engine, context.catalog.file.path, 'catalog')
    return engine
  } catch (error) {
    engine.close()
    throw error
  }
}

export type FileFormat = 'parquet' | 'csv' | 'arrow'

export interface DatasetExport {
  readonly dataset_name: string
  readonly filters?: ExportRequest['filters']
  readonly format: FileFormat
  readonly layout: ExportLayout
  readonly csv_dialect: ExportRequest['csv_dialect']
  /** A new or existing file outside the workspace; it appears whole or not at all. */
  readonly target: string
  readonly signal?: AbortSignal | undefined
}
