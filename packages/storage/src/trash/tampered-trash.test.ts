import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type DiskOperation, setFaultHook } from '../files/fault-point.ts'
import { applyPlan } from '../maintenance/apply-plan.ts'
import { makePlan } from '../maintenance/make-plan.ts'
import { makeWorkspace, type StoreKind, snapshot } from '../maintenance/testing/maintenance-fixture.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { rewriteParquet, tamperBefore } from '../testing/tamper.ts'
import { listTrash } from './list-trash.ts'

afterEach(() => setFaultHook(undefined))

const rename = async (path: string): Promise<void> => writeFile(path, (await readFile(path, 'utf8')).replace('PLS', 'SLP'))

const cases: [string, StoreKind, (operation: DiskOperation) => boolean, (path: string) => Promise<void>][] = [
  [
    'a row',
    'duckdb',
    ({ kind, path }) => kind === 'fsync' && path.endsWith('predictions.parquet'),
    (path) => rewriteParquet(path, '* REPLACE (val_score + 1 AS val_score)'),
  ],
  ['a row', 'sqlite', ({ kind, path }) => kind === 'fsync' && /trash\/.*predictions\.\w+$/.test(path), rename],
  [
    'an array',
    'duckdb',
    ({ kind, path }) => kind === 'fsync-folder' && /trash\/[^/]+\/arrays$/.test(path),
    (path) => rewriteParquet(join(path, '0.parquet'), '*', "prediction_id <> 'a'"),
  ],
]

test.each(cases)('%s that did not reach the trash of a store.%s as it was stops a removal', async (_, kind, isPlace, change) => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind, predictions: [{ id: 'a' }, { id: 'b', fold: '1' }, { id: 'c', fold: '2' }] })
  const before = await snapshot(folder.path)
  const plan = await makePlan(folder.path, { kind: 'remove_predictions', prediction_ids: ['a', 'b'] })
  tamperBefore(isPlace, change)
  await expect(applyPlan(folder.path, plan, { jobId: 'job' })).rejects.toMatchObject({ code: 'verification_failed' })
  setFaultHook(undefined)
  expect(await snapshot(folder.path)).toEqual(before)
  expect((await listTrash(folder.path)).total).toBe(0)
})
