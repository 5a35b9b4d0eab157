import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeArrays } from '@nirs-workspace/storage'
import { type Facets, metricKey, type PredictionArrays, type PredictionDetail, type PredictionPage } from '@nirs-workspace/types'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { startWriter } from '../src/testing/start-writer.ts'
import { openTestApp, type TestApp } from '../src/testing/test-app.ts'
import { copyDemo, copySample, hasSamples, removeCopies, sampleFile } from '../src/testing/workspace-copies.ts'
import type { Ranking } from '../src/workspaces/rank-predictions.ts'

let app: TestApp
afterEach(() => app.close())
afterAll(removeCopies)

const pageOf = async (query: string) => (await app.get(`/predictions?${query}`)) as PredictionPage

test('pages, filters, search and sorting fit together', async () => {
  app = await openTestApp(await copyDemo())
  const all = await pageOf('limit=1000&sort=prediction_id:asc')
  expect(all.rows).toHaveLength(all.total)
  const [first, second] = [await pageOf('limit=7&sort=val_score:desc'), await pageOf('limit=7&offset=7&sort=val_score:desc')]
  expect(new Set([...first.rows, ...second.rows].map((row) => row.prediction_id)).size).toBe(14)
  const scores = [...first.rows, ...second.rows].map((row) => Number(row.val_score))
  expect(scores).toEqual(scores.toSorted((a, b) => b - a))
  const val = await pageOf('limit=1000&partition=val')
  const both = await pageOf('limit=1000&partition=val&partition=test')
  expect(val.rows.every((row) => row.partition === 'val')).toBe(true)
  expect(both.total).toBe(all.rows.filter((row) => row.partition === 'val' || row.partition === 'test').length)
  const bounded = await pageOf('limit=1000&val_score_min=0.1&val_score_max=2')
  expect(bounded.rows.every((row) => Number(row.val_score) >= 0.1 && Number(row.val_score) <= 2)).toBe(true)
  const found = await pageOf(`q=${all.rows[0]?.prediction_id}`)
  expect(found.rows[0]?.prediction_id).toBe(all.rows[0]?.prediction_id)
  const facets = (await app.get('/predictions/facets?partition=val')) as Facets
  expect(facets.total).toBe(val.total)
  expect(facets.facets.partition?.values.reduce((sum, { count }) => sum + count, 0)).toBe(all.total)
  expect((await pageOf(`offset=${all.total + 10}`)).rows).toEqual([])
})

test('one prediction: decoded, its arrays as JSON and as bytes, its figures', async () => {
  app = await openTestApp(await copyDemo())
  const [row] = (await pageOf('limit=1&task_type=regression&has_arrays=true&partition=val')).rows
  const id = row?.prediction_id ?? ''
  const detail = (await app.get(`/predictions/${id}`)) as PredictionDetail
  expect(detail.siblings.length).toBeGreaterThan(0)
  const arrays = (await app.get(`/predictions/${id}/arrays`)) as PredictionArrays
  expect(arrays.y_true).toHaveLength(arrays.y_pred?.length ?? -1)
  expect(await app.get(`/aggregated-predictions/${id}/arrays`)).toEqual(arrays)
  const binary = await app.request(`/predictions/${id}/arrays`, { headers: { accept: 'application/octet-stream' } })
  expect(binary.headers.get('content-type')).toBe('application/octet-stream')
  const [decoded] = decodeArrays(new Uint8Array(await binary.arrayBuffer()))
  expect(Array.from(decoded?.y_pred?.values ?? [])).toEqual(arrays.y_pred)
  const scatter = (await app.get(`/predictions/${id}/scatter`)) as { regression: { n: number; rmse: number } }
  const errors = (arrays.y_true ?? []).map((value, index) => Number(arrays.y_pred?.[index]) - Number(value))
  expect(scatter.regression.n).toBe(errors.length)
  expect(scatter.regression.rmse).toBeCloseTo(Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length), 12)
  const many = (await (await app.post('/predictions/arrays', { ids: [id, 'nobody'] })).json()) as { rows: unknown[]; missing: string[] }
  expect(many).toEqual({ rows: [arrays], missing: ['nobody'] })
})

test('G16: a row of an unknown metric keeps nobody from ranking the others, and is named', async () => {
  const path = await copyDemo()
  const writer = await startWriter(join(path, 'store.duckdb'))
  const anyRow = (partition: string) => `(SELECT * REPLACE (uuid()::VARCHAR AS prediction_id, 'lab_index' AS metric, 'odd' AS model_name)
    FROM store.predictions WHERE partition = '${partition}' AND val_score IS NOT NULL ORDER BY prediction_id LIMIT 1)`
  await writer.run(`INSERT INTO store.predictions BY NAME ${anyRow('val')}`)
  // A spelling that sorts before the usual one, of a score that comes after the best.
  await writer.run(`INSERT INTO store.predictions BY NAME (SELECT * REPLACE (uuid()::VARCHAR AS prediction_id, 'MSE' AS metric, val_score + 1e-9 AS val_score)
    FROM store.predictions WHERE partition = 'val' AND metric = 'mse' AND refit_context IS NULL AND val_score > 0 ORDER BY val_score LIMIT 1)`)
  await writer.release()
  app = await openTestApp(path)
  const top = async (query: string) => (await app.get(`/predictions/top?${query}`)) as Ranking
  const all = await top('n=3')
  expect(all.unranked_metrics).toEqual(['lab_index'])
  expect(new Set(all.rows.map((row) => row.metric)).size).toBeGreaterThan(1)
  const spelled = all.rows.filter((row) => metricKey(row.metric) === 'mse')
  expect(spelled.some((row) => row.metric === 'MSE')).toBe(true)
  expect(spelled.map((row) => row.prediction_id)).toEqual((await top('n=3&metric=mse')).rows.map((row) => row.prediction_id))
  const alone = await Promise.all([...new Set(all.rows.map((row) => metricKey(row.metric)))].map((metric) => top(`n=3&metric=${metric}`)))
  const ids = (rankings: Ranking[]) => rankings.flatMap(({ rows }) => rows.map((row) => row.prediction_id)).sort()
  expect(ids([all])).toEqual(ids(alone))
  expect(all.rows).toEqual(all.rows.toSorted((a, b) => (a.dataset_name < b.dataset_name ? -1 : a.dataset_name > b.dataset_name ? 1 : 0)))
  expect((await app.request('/predictions/top?metric=lab_index')).status).toBe(422)
  const told = await top('metric=lab_index&direction=higher')
  expect([told.rows.map((row) => row.metric), told.unranked_metrics]).toEqual([['lab_index'], []])
  const lone = all.rows[0]?.dataset_name ?? ''
  expect((await top(`dataset_name=${lone}&fold_kind=refit`)).unranked_metrics).toEqual([])
})

test('what is not there is 404, each with its own code', async () => {
  app = await openTestApp(await copyDemo())
  const codeOf = async (path: string) => {
    const response = await app.request(path)
    return [response.status, ((await response.json()) as { code: string }).code]
  }
  expect(await codeOf('/predictions/none')).toEqual([404, 'prediction_not_found'])
  expect(await codeOf('/predictions/none/arrays')).toEqual([404, 'prediction_not_found'])
  expect(await codeOf('/runs/none')).toEqual([404, 'run_not_found'])
  expect(await codeOf('/jobs/none')).toEqual([404, 'job_not_found'])
  expect(await codeOf('/predictions?workspace=none')).toEqual([404, 'workspace_not_found'])
  expect(await codeOf('/nothing')).toEqual([404, 'route_not_found'])
  for (const id of ['__proto__', 'constructor', '..%2f..%2fetc', "x'%20OR%201=1", '%00']) {
    expect(await codeOf(`/predictions/${id}`)).toEqual([404, 'prediction_not_found'])
  }
})

const Expected = z.object({
  workspaces: z.record(
    z.string(),
    z.looseObject({
      topCv: z.record(z.string(), z.array(z.object({ metric: z.string(), top: z.array(z.object({ predictionId: z.string() })) }))),
      tables: z.record(z.string(), z.number()).optional(),
    }),
  ),
})

describe.runIf(hasSamples)('the sample workspaces', () => {
  test.each([
    'legacy-0.7.0',
    'legacy-0.7.1',
    'hybrid-0.8.1',
    'mid-migration',
    'crashed-wal',
    'empty-new',
    'sqlite-0.9.4',
    'sqlite-0.11',
    'damaged-lost-arrays',
  ])('%s has the predictions that were counted in Python', async (name) => {
    const raw: unknown = JSON.parse(readFileSync(sampleFile('expected.json'), 'utf8'))
    const expected = Expected.parse(raw).workspaces[name]
    app = await openTestApp(await copySample(name))
    expect((await pageOf('limit=1')).total).toBe(expected?.tables?.predictions)
    for (const [dataset, lists] of Object.entries(expected?.topCv ?? {})) {
      for (const { metric, top } of lists) {
        const query = new URLSearchParams({ dataset_name: dataset, metric, n: '10' })
        const { rows } = (await app.get(`/predictions/top?${query}`)) as { rows: { prediction_id: string }[] }
        expect(rows.map((row) => row.prediction_id)).toEqual(top.map((row) => row.predictionId))
      }
    }
  })
})
