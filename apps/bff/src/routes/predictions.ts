import { countFacets, getPrediction, listPredictions, makeHistogram } from '@nirs-workspace/storage'
import { Facets, FoldKind, Histogram, PredictionDetail, PredictionPage, PredictionRow, rangeColumns } from '@nirs-workspace/types'
import * as z from 'zod'
import { queryInteger } from '../server/request-query.ts'
import { rankPredictions } from '../workspaces/rank-predictions.ts'
import { defineRoute, noBody, pathParameter } from './define-route.ts'
import { filterQueryShape, filterShape, predictionQueryShape, toFilter, toPredictionQuery } from './prediction-query.ts'
import { catalogErrors } from './workspace-errors.ts'
import { onlyWorkspace, workspaceQuery } from './workspace-query.ts'

/** `unranked_metrics`: of unknown direction, left out. */
const Ranked = z.object({ rows: z.array(PredictionRow), unranked_metrics: z.array(z.string()) })

const text = { method: 'GET', tag: 'Predictions', body: noBody } as const

export const predictionRoutes = [
  defineRoute({
    ...text,
    path: '/predictions',
    summary: 'One page of predictions with the exact total; non-finite and null values sort last both ways',
    query: predictionQueryShape,
    answers: [{ status: 200, description: 'The page', schema: PredictionPage }],
    errors: catalogErrors,
    handle: async ({ deps, query, request }) => {
      const workspace = await deps.workspaces.present(query.workspace)
      const asked = toPredictionQuery(query)
      const page = await workspace.query((catalog) => listPredictions(catalog, asked, { signal: request.signal }))
      deps.orders.afterPage(workspace, asked, page)
      return page
    },
  }),
  defineRoute({
    ...text,
    path: '/predictions/facets',
    summary: 'How many predictions have each value, under the other filters',
    query: filterQueryShape,
    answers: [{ status: 200, description: 'Counts per column and value', schema: Facets }],
    errors: catalogErrors,
    handle: async ({ deps, query, request }) =>
      (await deps.workspaces.present(query.workspace)).query((catalog) =>
        countFacets(catalog, toFilter(query), { signal: request.signal }),
      ),
  }),
  defineRoute({
    ...text,
    path: '/predictions/histogram',
    summary: 'The distribution of a score under the filters',
    query: z.strictObject({ ...workspaceQuery, ...filterShape, column: z.enum(rangeColumns) }),
    answers: [{ status: 200, description: 'Bins', schema: Histogram }],
    errors: catalogErrors,
    handle: async ({ deps, query, request }) =>
      (await deps.workspaces.present(query.workspace)).query((catalog) =>
        makeHistogram(catalog, toFilter(query), query.column, { signal: request.signal }),
      ),
  }),
  defineRoute({
    ...text,
    path: '/predictions/top',
    summary:
      'The best cross-validation rows of the val partition; a metric of unknown direction is left out, or refused when asked for by name, unless a direction is given',
    query: z.strictObject({
      ...workspaceQuery,
      n: queryInteger(1, 1000).default(10),
      dataset_name: z.string().optional(),
      metric: z.string().optional(),
      fold_kind: FoldKind.optional(),
      direction: z.enum(['higher', 'lower', 'zero']).optional(),
    }),
    answers: [{ status: 200, description: 'Rows, best first', schema: Ranked }],
    errors: [...catalogErrors, 'metric_direction_unknown'],
    handle: async ({ deps, query: { workspace, ...query }, request }) =>
      (await deps.workspaces.present(workspace)).query((catalog) => rankPredictions(catalog, query, { signal: request.signal })),
  }),
  defineRoute({
    ...text,
    path: '/predictions/{prediction_id}',
    summary: 'One prediction with its scores and parameters decoded, and the other folds and partitions of the same model',
    query: onlyWorkspace,
    answers: [{ status: 200, description: 'The prediction', schema: PredictionDetail }],
    errors: [...catalogErrors, 'prediction_not_found'],
    handle: async ({ deps, query, params, request }) =>
      (await deps.workspaces.present(query.workspace)).query((catalog) =>
        getPrediction(catalog, pathParameter(params, 'prediction_id'), { signal: request.signal }),
      ),
  }),
]
