import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../testing/make-store.ts'
import { rewriteParquet } from '../testing/tamper.ts'
import { makePlan } from './make-plan.ts'
import { makeWorkspace } from './testing/maintenance-fixture.ts'

test('the plan of removing a dataset tells of rows without an id also where a file holds no others', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'sqlite', predictions: [{ id: 'a' }, { id: 'c', dataset: 'corn' }] })
  const extra = join(folder.path, 'arrays', 'extra.parquet')
  await copyFile(join(folder.path, 'arrays', 'wheat.parquet'), extra)
  await rewriteParquet(extra, '* REPLACE (NULL::VARCHAR AS prediction_id)')
  const plan = (dataset_name: string) => makePlan(folder.path, { kind: 'remove_dataset', dataset_name })
  const { warnings, report } = await plan('wheat')
  expect(report).toMatchObject({ parquet_deleted: true })
  expect(warnings).toEqual([
    'One row without an id stays in arrays/extra.parquet: arrays are kept in the trash by the ids of their predictions.',
  ])
  expect((await plan('corn')).warnings).toEqual([])
})
