import { type ArrayPlaces, isStorageError } from '@nirs-workspace/storage'
import { PredictionArrays, Scatter } from '@nirs-workspace/types'
import * as z from 'zod'
import type { ReaderOrder } from '../children/reader-messages.ts'
import { sendStream } from '../server/send-stream.ts'
import { findArrayRefs, findDescribedPrediction } from '../workspaces/find-array-refs.ts'
import type { OpenedWorkspace } from '../workspaces/opened-workspace.ts'
import { defineRoute, noBody, pathParameter, type RouteInput } from './define-route.ts'
import { catalogErrors } from './workspace-errors.ts'
import { onlyWorkspace } from './workspace-query.ts'

const binary = 'application/octet-stream'
const errors = [...catalogErrors, 'prediction_not_found', 'arrays_missing', 'arrays_corrupt', 'reader_failed'] as const
const rawNote = 'With `Accept: application/octet-stream`: blocks of raw little-endian numbers behind a JSON header (docs/formats.md)'
const ManyArrays = z.object({ rows: z.array(PredictionArrays), missing: z.array(z.string()) })

type ArraysInput = Pick<RouteInput<{ workspace?: string | undefined }, unknown>, 'params' | 'query' | 'deps' | 'request'>

const formatOf = (request: Request): 'json' | 'binary' => ((request.headers.get('accept') ?? '').includes(binary) ? 'binary' : 'json')

const placesOf = ({ resolved: { root, duckdb, bak, arrays } }: OpenedWorkspace): ArrayPlaces => ({ root, duckdb, bak, arrays })

/**
 * Reads through the reader process; when the files have changed under the catalog, looks again once with a fresh one. Of a workspace
 * that was taken away meanwhile nothing is said about single files.
 */
const answer = async ({ deps, query, request }: ArraysInput, makeOrder: (workspace: OpenedWorkspace) => Promise<ReaderOrder>) => {
  const workspace = await deps.workspaces.present(query.workspace)
  const mediaType = formatOf(request) === 'binary' ? binary : 'application/json'
  const read = async () => {
    const order = await makeOrder(workspace)
    return sendStream(request, (signal) => deps.arrays.read(order, signal), { 'content-type': mediaType })
  }
  const seen = workspace.fingerprint
  try {
    return await read()
  } catch (error) {
    if (!isStorageError(error, 'arrays_missing', 'arrays_corrupt', 'interrupted', 'store_unreadable', 'store_locked')) throw error
    await deps.workspaces.present(workspace.id)
    await workspace.check()
    if (workspace.fingerprint === seen) throw error
    return read()
  }
}

const arraysOf = (input: ArraysInput) =>
  answer(input, async (workspace) => {
    const id = pathParameter(input.params, 'prediction_id')
    const { ref } = await workspace.query((catalog) => findDescribedPrediction(catalog, id))
    return { type: 'arrays', format: formatOf(input.request), places: placesOf(workspace), ref }
  })

const oneAnswer = [{ status: 200, description: `The arrays; ${rawNote}`, schema: PredictionArrays, mediaTypes: [binary] }]

export const arrayRoutes = [
  defineRoute({
    method: 'POST',
    path: '/predictions/arrays',
    tag: 'Arrays',
    summary: 'The arrays of many predictions, streamed; `missing` names those that have none',
    query: onlyWorkspace,
    body: z.object({ ids: z.array(z.string().max(200)).min(1).max(20_000) }),
    answers: [{ status: 200, description: `The arrays; ${rawNote}`, schema: ManyArrays, mediaTypes: [binary] }],
    errors,
    handle: (input) =>
      answer(input, async (workspace) => {
        const refs = await workspace.query((catalog) => findArrayRefs(catalog, input.body.ids))
        return { type: 'many', format: formatOf(input.request), places: placesOf(workspace), refs }
      }),
  }),
  defineRoute({
    method: 'GET',
    path: '/predictions/{prediction_id}/arrays',
    tag: 'Arrays',
    summary: 'The arrays of one prediction',
    query: onlyWorkspace,
    body: noBody,
    answers: oneAnswer,
    errors,
    handle: arraysOf,
  }),
  defineRoute({
    method: 'GET',
    path: '/aggregated-predictions/{prediction_id}/arrays',
    tag: 'Arrays',
    summary: 'The arrays of one prediction, at the address that nirs4all’s own web app uses',
    query: onlyWorkspace,
    body: noBody,
    answers: oneAnswer,
    errors,
    handle: arraysOf,
  }),
  defineRoute({
    method: 'GET',
    path: '/predictions/{prediction_id}/scatter',
    tag: 'Arrays',
    summary: 'Measured against predicted with the figures of the task',
    query: onlyWorkspace,
    body: noBody,
    answers: [{ status: 200, description: 'Points and figures', schema: Scatter }],
    errors,
    handle: (input) =>
      answer(input, async (workspace) => {
        const id = pathParameter(input.params, 'prediction_id')
        const { ref, row } = await workspace.query((catalog) => findDescribedPrediction(catalog, id))
        return { type: 'scatter', places: placesOf(workspace), ref, row }
      }),
  }),
]
