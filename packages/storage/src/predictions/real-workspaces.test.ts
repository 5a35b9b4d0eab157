import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OverviewResponse, PredictionDetail, PredictionRow, RunPage } from '@nirs-workspace/types'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { buildCatalog } from '../catalog/build-catalog.ts'
import { type Catalog, openCatalog } from '../catalog/open-catalog.ts'
import { makeOverview } from '../overview/make.ts'
import { getRun } from '../runs/get.ts'
import { listRuns } from '../runs/list.ts'
import {
  copyWorkspace,
  expectedWorkspace,
  hasSharedWorkspaces,
  sharedWorkspaceNames,
  type WorkspaceCopy,
} from '../testing/shared-workspaces.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { listDatasets } from './datasets.ts'
import { countFacets } from './facets.ts'
import { getPrediction } from './get.ts'
import { listPredictions } from './list.ts'
import { emptyFilter } from './testing/sample-catalog.ts'
import { topPredictions } from './top.ts'

const Top = z.record(
  z.string(),
  z.array(z.object({ metric: z.string(), top: z.array(z.object({ predictionId: z.string(), valScore: z.number() })) })),
)
const Expected = z.object({
  topCv: Top,
  topCvFolds: Top,
  runs: z.array(z.object({ name: z.string(), status: z.string() })),
  datasets: z.record(z.string(), z.object({ predictions: z.number(), withArrayRow: z.number(), refit: z.number() })),
  samplePredictions: z.array(
    z.object({
      predictionId: z.string(),
      partition: z.string(),
      valScore: z.number().nullable(),
      storedScores: z.record(z.string(), z.union([z.number(), z.string(), z.null()])),
    }),
  ),
})

/** Dataset, metric, id and score of every ranked row, in a form that both sides can take. */
const flat = (top: z.infer<typeof Top>) =>
  Object.entries(top).flatMap(([dataset, metrics]) =>
    metrics.flatMap(({ metric, top: rows }) => rows.map((row) => [dataset, metric, row.predictionId, row.valScore])),
  )
const byBytes = (a: unknown[], b: unknown[]) => Buffer.compare(Buffer.from(`${a[0]}\0${a[1]}`), Buffer.from(`${b[0]}\0${b[1]}`))

describe.runIf(hasSharedWorkspaces()).each(sharedWorkspaceNames)('workspace %s', (name) => {
  let copy: WorkspaceCopy
  let cacheFolder: string
  let catalog: Catalog
  const expected = () => Expected.parse(expectedWorkspace(name))

  beforeAll(async () => {
    copy = await copyWorkspace(name)
    cacheFolder = await mkdtemp(join(tmpdir(), 'nirs-workspace-test-'))
    catalog = await openCatalog(await buildCatalog(await resolveWorkspace(copy.path), { cacheFolder }))
  })
  afterAll(async () => {
    catalog.close()
    await copy.remove()
    await rm(cacheFolder, { recursive: true, force: true })
  })

  test('top lists equal those computed in Python, with and without averages', async () => {
    const ranked = async (query: Parameters<typeof topPredictions>[1]) =>
      (await topPredictions(catalog, query)).map((row) => [row.dataset_name, row.metric, row.prediction_id, row.val_score])
    expect(await ranked({ n: 10 })).toEqual(flat(expected().topCv).sort(byBytes))
    expect(await ranked({ n: 10, fold_kind: 'fold' })).toEqual(flat(expected().topCvFolds).sort(byBytes))
  })

  test('every prediction is listed once, as the schema says, and counted in its dataset', async () => {
    const datasets = Object.entries(expected().datasets)
    const total = datasets.reduce((sum, [, dataset]) => sum + dataset.predictions, 0)
    const page = await listPredictions(catalog, {
      filter: emptyFilter,
      sort: [{ column: 'val_score', direction: 'desc' }],
      limit: 1000,
      offset: 0,
    })
    expect(page.total).toBe(total)
    expect(new Set(page.rows.map((row) => PredictionRow.parse(row).prediction_id)).size).toBe(total)
    const listed = new Map((await listDatasets(catalog)).map((dataset) => [dataset.name, dataset.predictions]))
    expect(listed).toEqual(new Map(datasets.map(([dataset, { predictions }]) => [dataset, predictions])))
    const { facets } = await countFacets(catalog, { ...emptyFilter, equals: { fold_kind: ['refit'] } }, { columns: ['dataset_name'] })
    const refits = new Map(facets.dataset_name?.values.map(({ value, count }) => [value, count]))
    expect(refits).toEqual(new Map(datasets.filter(([, { refit }]) => refit > 0).map(([dataset, { refit }]) => [dataset, refit])))
  })

  test('details carry the stored scores; numbers that were stored as text are numbers', async () => {
    for (const sample of expected().samplePredictions) {
      const detail = PredictionDetail.parse(await getPrediction(catalog, sample.predictionId))
      expect(detail.val_score).toBe(sample.valScore)
      expect(detail.undecodable).toBeUndefined()
      const stored = Object.entries(sample.storedScores).map(([metric, value]) => [
        metric,
        typeof value === 'string' ? Number(value) : value,
      ])
      expect(detail.scores[sample.partition]).toMatchObject(Object.fromEntries(stored))
      expect(detail.siblings.length).toBeGreaterThan(0)
    }
  })

  test('the overview shows the first of each top list, and no refit in its place', async () => {
    const overview = OverviewResponse.parse(await makeOverview(catalog))
    const best = overview.datasets.flatMap((dataset) =>
      dataset.best_cv.map((row) => [dataset.dataset_name, row.metric, row.prediction_id, row.val_score]),
    )
    const first = Object.fromEntries(
      Object.entries(expected().topCv).map(([dataset, metrics]) => [
        dataset,
        metrics.map((entry) => ({ ...entry, top: entry.top.slice(0, 1) })),
      ]),
    )
    expect(best).toEqual(flat(first).sort(byBytes))
    const refits = await topPredictions(catalog, { n: 1, fold_kind: 'refit' })
    const ofRefits = overview.datasets.flatMap((dataset) => dataset.best_refit.map((row) => row.prediction_id))
    expect(ofRefits).toEqual(refits.map((row) => row.prediction_id))
  })

  test('runs are those of the store, with counts that add up', async () => {
    const { rows, total } = RunPage.parse(await listRuns(catalog, { status: [], q: '', limit: 1000, offset: 0 }))
    const nameAndStatus = ({ name: run, status }: { name: string; status: string }) => `${run} ${status}`
    expect(rows.map(nameAndStatus).sort()).toEqual(expected().runs.map(nameAndStatus).sort())
    expect(total).toBe(rows.length)
    const predictions = Object.values(expected().datasets).reduce((sum, dataset) => sum + dataset.predictions, 0)
    expect(rows.reduce((sum, run) => sum + run.n_predictions, 0)).toBe(predictions)
    for (const run of rows.slice(0, 3)) expect((await getRun(catalog, run.run_id)).pipelines).toHaveLength(run.n_pipelines)
  })
})
