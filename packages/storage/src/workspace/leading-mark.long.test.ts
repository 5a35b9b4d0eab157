import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type ExportedFile, ExportRequest, PredictionFilter } from '@nirs-workspace/types'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { type ArrayPlaces, withArrayReader } from '../arrays/array-reader.ts'
import { buildCatalog } from '../catalog/build-catalog.ts'
import { type Catalog, openCatalog } from '../catalog/open-catalog.ts'
import { elementsOf } from '../engine/number-list.ts'
import { withEngine } from '../engine/open-engine.ts'
import type { ExportContext } from '../export/export-context.ts'
import { exportDataset } from '../export/export-dataset.ts'
import { exportZip } from '../export/export-zip.ts'
import { rollbackMigration } from '../migration/rollback-migration.ts'
import { runMigration } from '../migration/run-migration.ts'
import { listDatasets } from '../predictions/datasets.ts'
import { countFacets } from '../predictions/facets.ts'
import { listPredictions } from '../predictions/list.ts'
import { makeStore, temporaryFolder } from '../testing/make-store.ts'
import { verifyWorkspace } from '../verify/verify-workspace.ts'
import { resolveWorkspace } from './resolve-workspace.ts'

const mark = '\ufeff'
/** Names and ids that differ only in a leading U+FEFF, the mark alone among them. */
const made = [
  { id: 'a', dataset: 'x', y: [1] },
  { id: `${mark}a`, dataset: `${mark}x`, y: [2] },
  { id: mark, dataset: `${mark}x`, y: [3] },
  { id: `${mark}longer than twelve`, dataset: `${mark}longer than twelve`, y: [4] },
  { id: 'longer than twelve', dataset: 'longer than twelve', y: [5] },
  { id: 'm', dataset: mark, y: [6] },
]
const names = [...new Set(made.map(({ dataset }) => dataset))]
const byText = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
const idsOf = (dataset: string) => made.flatMap((one) => (one.dataset === dataset ? [one.id] : [])).sort(byText)

const Ref = z.object({ prediction_id: z.string(), array_source: z.string().nullable() })
const Exported = z.object({ prediction_id: z.string(), dataset_name: z.string(), y_true: z.array(z.number()) })

/** Everything a user can see of the workspace, in the generation that it is in now. */
const look = async (path: string, folder: string): Promise<void> => {
  const resolved = await resolveWorkspace(path)
  const file = await buildCatalog(resolved, { cacheFolder: join(folder, 'cache') })
  const catalog = await openCatalog(file)
  try {
    const listed = await listDatasets(catalog)
    expect(listed.map(({ name }) => name)).toEqual(names.toSorted(byText))
    expect(listed.every(({ name, arrays }) => arrays === idsOf(name).length)).toBe(true)
    for (const dataset_name of names) {
      const filter = PredictionFilter.parse({ equals: { dataset_name: [dataset_name] } })
      const page = await listPredictions(catalog, { filter, sort: [], offset: 0, limit: 10 })
      expect(page.rows.map((row) => row.prediction_id).sort(byText)).toEqual(idsOf(dataset_name))
      expect(page.rows.every((row) => row.dataset_name === dataset_name)).toBe(true)
    }
    const facets = await countFacets(catalog, PredictionFilter.parse({}), { limit: 50 })
    expect(facets.facets.dataset_name?.values.map(({ value }) => String(value)).sort(byText)).toEqual(names.toSorted(byText))
    await lookAtArrays(catalog, resolved)
  } finally {
    catalog.close()
  }
  await lookAtExports({ resolved, catalog: { file } }, folder)
}

const lookAtArrays = async (catalog: Catalog, places: ArrayPlaces): Promise<void> => {
  const refs = await catalog.engine.rows(Ref, 'SELECT prediction_id, array_source FROM catalog.main.predictions')
  await withArrayReader({}, async (reader) => {
    for (const { id, y } of made) {
      const row = await reader.loadOne(places, refs.find((ref) => ref.prediction_id === id) ?? { prediction_id: id, array_source: null })
      expect(row).toMatchObject({ prediction_id: id })
      expect(row?.y_true && elementsOf(row.y_true)).toEqual(y)
    }
  })
}

const lookAtExports = async (context: ExportContext, folder: string): Promise<void> => {
  for (const dataset_name of names) {
    const target = join(folder, 'out.parquet')
    await exportDataset(context, { dataset_name, format: 'parquet', layout: 'prediction', csv_dialect: 'plain', target })
    const rows = await withEngine({}, (engine) => engine.rows(Exported, 'SELECT * FROM read_parquet($target)', { target }))
    expect(rows.sort((a, b) => byText(a.prediction_id, b.prediction_id))).toMatchObject(
      idsOf(dataset_name).map((id) => ({ prediction_id: id, dataset_name, y_true: made.find((one) => one.id === id)?.y })),
    )
  }
  const request = ExportRequest.parse({ format: 'zip' })
  const files: ExportedFile[] = []
  const zip = exportZip(context, request, { scratchFolder: folder, onFile: (file) => files.push(file) })
  for await (const piece of zip) expect(piece.length).toBeGreaterThan(0)
  expect(files.map((file) => file.dataset_name)).toEqual(names.toSorted(byText))
  expect(new Set(files.map((file) => file.path)).size).toBe(names.length)
}

test('test_workspace_bom_names: names and ids that begin with U+FEFF stay themselves: legacy, migrated, rolled back', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'workspace')
  await mkdir(path)
  await makeStore(join(path, 'store.duckdb'), { release: '0.7.1', predictions: made })
  await look(path, folder.path)
  const report = await runMigration(path, { jobId: 'one' })
  expect(report).toMatchObject({ rows_migrated: made.length, verification_passed: true, verification_mismatches: 0 })
  expect(await readdir(join(path, 'arrays'))).toHaveLength(names.length)
  await look(path, folder.path)
  expect(await verifyWorkspace(path, { depth: 'deep' })).toMatchObject({ passed: true, proof_holds: true })
  await rollbackMigration(path, { jobId: 'back' })
  await look(path, folder.path)
})
