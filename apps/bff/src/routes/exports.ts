import { contentDisposition, countExport, exportFileName, listDatasets, resolveWorkspace } from '@nirs-workspace/storage'
import { ExportCount, ExportRequest } from '@nirs-workspace/types'
import * as z from 'zod'
import type { AppDeps } from '../server/app-deps.ts'
import { sendFile } from '../server/send-file.ts'
import { sendStream } from '../server/send-stream.ts'
import type { OpenedWorkspace } from '../workspaces/opened-workspace.ts'
import { defineRoute, noBody, pathParameter } from './define-route.ts'
import { checkFilters } from './filter-values.ts'
import { catalogErrors } from './workspace-errors.ts'
import { onlyWorkspace, workspaceQuery } from './workspace-query.ts'

const mediaTypes = {
  parquet: 'application/vnd.apache.parquet',
  zip: 'application/zip',
  csv: 'text/csv; charset=utf-8',
  arrow: 'application/vnd.apache.arrow.file',
} as const
const errors = [
  ...catalogErrors,
  'dataset_not_found',
  'nothing_to_export',
  'arrays_corrupt',
  'arrays_missing',
  'reader_failed',
  'precondition_failed',
] as const

const fileHeaders = {
  'x-content-sha256': 'SHA-256 of the whole file, in hexadecimal digits; of one file',
  'x-export-warnings':
    'JSON list of sentences that a reader should know, when there are some; of one file, as an archive has them in its manifest',
}

/** Throws `workspace_not_found` when the workspace has gone since it was opened. */
const contextOf = async (workspace: OpenedWorkspace, path: string) => {
  const { root, name, duckdb, bak, arrays } = await resolveWorkspace(workspace.path)
  return { resolved: { root, name, duckdb, bak, arrays }, catalog: { file: { path } } }
}

/** One dataset as a file: made in the cache folder, then sent with its length, ETag and ranges. */
const sendDataset = (deps: AppDeps, workspace: OpenedWorkspace, request: Request, dataset: string, wanted: ExportRequest) =>
  workspace.query(async (catalog) => {
    const context = await contextOf(workspace, catalog.file.path)
    const order = { type: 'file' as const, context, request: wanted, dataset_name: dataset }
    const { file, etag, release } = await deps.exports.hold(order, catalog.file.fingerprint, request.signal)
    const extension = wanted.format === 'zip' ? 'parquet' : wanted.format
    return sendFile(request, {
      path: file.path,
      bytes: file.bytes,
      etag,
      release,
      headers: {
        'content-type': mediaTypes[wanted.format],
        'content-disposition': contentDisposition(exportFileName(dataset, extension)),
        'x-content-sha256': file.sha256,
        ...(file.warnings.length === 0 ? {} : { 'x-export-warnings': asciiJson(file.warnings) }),
      },
    })
  })

/** A header holds no other characters. */
const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Several datasets as one archive, streamed while it is made. */
const sendArchive = (deps: AppDeps, workspace: OpenedWorkspace, request: Request, wanted: ExportRequest) =>
  workspace.query(async (catalog) => {
    const headers = {
      'content-type': mediaTypes.zip,
      'content-disposition': contentDisposition(exportFileName(workspace.resolved.name, 'zip')),
    }
    if (request.method === 'HEAD') return new Response(null, { headers })
    const order = { type: 'zip' as const, context: await contextOf(workspace, catalog.file.path), request: wanted }
    return sendStream(request, (signal) => deps.exports.archive(order, signal), headers)
  })

export const exportRoutes = [
  defineRoute({
    method: 'GET',
    path: '/aggregated-predictions/export/{dataset_name}.parquet',
    tag: 'Export',
    summary: 'One dataset as a Parquet file that stands on its own; HEAD, ETag and Range work',
    query: z.strictObject({
      ...workspaceQuery,
      partition: z.array(z.string()).optional(),
      model_name: z.array(z.string()).optional(),
    }),
    body: noBody,
    answers: [
      { status: 200, description: 'The file', mediaTypes: [mediaTypes.parquet], headers: fileHeaders },
      { status: 206, description: 'The part that Range asks for', mediaTypes: [mediaTypes.parquet], headers: fileHeaders },
      { status: 304, description: 'The file is still the one that If-None-Match names' },
      { status: 416, description: 'The file has no such part; Content-Range says how long it is' },
    ],
    errors,
    handle: async ({ deps, params, query, request }) => {
      const { partition, model_name } = query
      const equals = { ...(partition === undefined ? {} : { partition }), ...(model_name === undefined ? {} : { model_name }) }
      const wanted = ExportRequest.parse({ format: 'parquet', filters: { equals } })
      const dataset = pathParameter(params, 'dataset_name')
      return sendDataset(deps, await deps.workspaces.present(query.workspace), request, dataset, wanted)
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/aggregated-predictions/export',
    tag: 'Export',
    summary:
      'Datasets under filters: one as a file, several (or format zip) as a streamed ZIP with a manifest of SHA-256 sums; datasets without a matching row are left out of it',
    query: onlyWorkspace,
    body: ExportRequest.check(checkFilters),
    answers: [{ status: 200, description: 'The file or archive', mediaTypes: Object.values(mediaTypes), headers: fileHeaders }],
    errors,
    handle: async ({ deps, query, body, request }) => {
      const workspace = await deps.workspaces.present(query.workspace)
      const datasets = body.dataset_names ?? (await workspace.query(listDatasets)).map(({ name }) => name)
      const [only] = datasets
      if (datasets.length === 1 && only !== undefined && body.format !== 'zip') return sendDataset(deps, workspace, request, only, body)
      return sendArchive(deps, workspace, request, body)
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/aggregated-predictions/export/count',
    tag: 'Export',
    summary: 'How many predictions of each dataset the same export takes; datasets without a matching one are not listed',
    query: onlyWorkspace,
    body: ExportRequest.check(checkFilters),
    answers: [{ status: 200, description: 'Counts by dataset', schema: ExportCount }],
    errors: catalogErrors,
    handle: async ({ deps, query, body, request }) => {
      const workspace = await deps.workspaces.present(query.workspace)
      const options = { signal: request.signal, arraysFolder: workspace.resolved.arrays }
      return workspace.query((catalog) => countExport(catalog, body, options))
    },
  }),
]
