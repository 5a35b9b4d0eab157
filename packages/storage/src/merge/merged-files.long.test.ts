import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { ArrayStore } from '../array-store/array-store.ts'
import { refuseChanged } from '../arrays/refuse-changed.ts'
import { elementsOf } from '../engine/number-list.ts'
import { withEngine } from '../engine/open-engine.ts'
import { applyPlan } from '../maintenance/apply-plan.ts'
import { makePlan } from '../maintenance/make-plan.ts'
import { readFooter } from '../parquet/footer.ts'
import { readChecksums } from '../parquet/own-metadata.ts'
import { Predictions } from '../portable/predictions.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { makeParquet, temporaryFolder } from '../testing/make-store.ts'
import { rewriteParquet } from '../testing/tamper.ts'
import { restoreTrash } from '../trash/restore-trash.ts'
import { verifyWorkspace } from '../verify/verify-workspace.ts'
import { mergeStores } from './merge-stores.ts'
import { makeHybrid } from './testing/merge-fixture.ts'

/** Deep checks find nothing, an export would not refuse, and these predictions are read to the bit. */
const expectSound = async (root: string, cacheFolder: string, expected: ReadonlyMap<string, readonly number[]>, about: string) => {
  expect(await verifyWorkspace(root, { depth: 'deep' }), about).toMatchObject({ passed: true })
  expect((await ArrayStore.open(root).integrityCheck({ deep: true })).corrupt, about).toEqual([])
  for (const name of ['wheat', 'soil']) await refuseChanged(root, `arrays/${name}.parquet`)
  await using predictions = await Predictions.open(root, { cacheFolder })
  expect((await predictions.toRows()).map((row) => row.prediction_id).sort(), about).toEqual([...expected.keys()].sort())
  const found = await predictions.loadArrays([...expected.keys()])
  for (const [id, values] of expected) {
    const list = found.get(id)?.y_pred
    expect(list && elementsOf(list), `${about}: ${id}`).toEqual(values)
  }
}

/** Of the row groups of wheat, whether they have checksums; those of another program have none. */
const checkedGroups = async (root: string) =>
  readChecksums(await readFooter(join(root, 'arrays', 'wheat.parquet')))?.row_groups.map((group) => group.length > 0)

test('every file that merging, compacting and restoring write passes the deep check and is read to the bit', async () => {
  await using folder = await temporaryFolder()
  const cacheFolder = join(folder.path, 'cache')
  const at = (name: string) => join(folder.path, name)
  const values = new Map<string, readonly number[]>()
  const make = (name: string, ids: readonly string[], first: number) => {
    const wheat = ids.map((id, index) => ({ id, fold: String(first + index), y: [first + index, -0, Number.NaN] }))
    const soil = { id: `soil-${first}`, dataset: 'soil', fold: String(first), y: [first] }
    for (const { id, y } of [...wheat, soil]) values.set(id, y)
    return makeHybrid(at(name), { predictions: [...wheat, soil] })
  }
  const mergeAll = (target: string, sources: readonly string[], jobId: string) =>
    mergeStores(at(target), sources.map(at), { cacheFolder, jobId, create: true })
  const expectState = (gone: readonly string[], about: string) =>
    expectSound(at('to'), cacheFolder, new Map([...values].filter(([id]) => !gone.includes(id))), about)
  const apply = async (request: Parameters<typeof makePlan>[1], jobId: string) =>
    applyPlan(at('to'), await makePlan(at('to'), request), { jobId })

  await make('to', ['t1', 't2', 't3'], 0)
  await make('foreign', ['f1', 'f2'], 10)
  await mergeAll('to', ['foreign'], 'first')
  expect(await checkedGroups(at('to'))).toEqual([false, true])
  await expectState([], 'rows behind those of another program')

  await make('from', ['g1', 'g2'], 20)
  await mergeAll('own', ['from'], 'own')
  expect(await checkedGroups(at('own'))).toEqual([true])
  await makeParquet(at('lone.parquet'), [{ id: 'lone', fold: '30', y: [30] }])
  values.set('lone', [30])
  await mergeAll('to', ['own', 'lone.parquet'], 'second')
  await expectState([], 'rows behind both kinds')
  expect(await checkedGroups(at('to'))).toContain(false)

  const { operation_id } = await apply({ kind: 'remove_predictions', prediction_ids: ['t2', 'f1', 'g2'] }, 'removal')
  await expectState(['t2', 'f1', 'g2'], 'removed')
  await apply({ kind: 'compact' }, 'compaction')
  await expectState(['t2', 'f1', 'g2'], 'compacted')
  await restoreTrash(at('to'), operation_id ?? '', { jobId: 'restoring' })
  await expectState([], 'restored')

  // Once more into a new workspace: row groups are copied as they are.
  await mergeAll('copy', ['to'], 'copied')
  await expectSound(at('copy'), cacheFolder, values, 'merged again')
})

test('arrays for which the file of the target has no column yet come along', async () => {
  await using folder = await temporaryFolder()
  const at = (name: string) => join(folder.path, name)
  await makeHybrid(at('to'), { predictions: [{ id: 'there', fold: '0' }] })
  await makeHybrid(at('from'), { predictions: [{ id: 'comes', fold: '1', shape: [1, 2] }] })
  // Of a program that leaves out what it has no values for.
  await rewriteParquet(join(at('to'), 'arrays', 'wheat.parquet'), 'prediction_id, dataset_name, y_true, y_pred')
  await rewriteParquet(join(at('from'), 'arrays', 'wheat.parquet'), '* REPLACE ([0.5, 0.25]::DOUBLE[] AS weights)')
  await mergeStores(at('to'), [at('from')], { cacheFolder: at('cache'), jobId: 'merge' })
  const row = await ArrayStore.open(at('to')).loadSingle('comes')
  expect(row?.weights && elementsOf(row.weights)).toEqual([0.5, 0.25])
  expect([row?.y_proba && elementsOf(row.y_proba), row?.y_proba_shape]).toEqual([
    [0.25, 0.75],
    [1, 2],
  ])
})

test('a column that the file of the target has with another type is refused, not rounded', async () => {
  await using folder = await temporaryFolder()
  const at = (name: string) => join(folder.path, name)
  await makeHybrid(at('to'), { predictions: [{ id: 'there', fold: '0' }] })
  await makeHybrid(at('from'), { predictions: [{ id: 'comes', fold: '1' }] })
  const file = join(at('to'), 'arrays', 'wheat.parquet')
  await rewriteParquet(file, '*, [1]::INTEGER[] AS X')
  await rewriteParquet(join(at('from'), 'arrays', 'wheat.parquet'), '*, [0.5]::DOUBLE[] AS X')
  const before = await hashTree(file)
  await expect(mergeStores(at('to'), [at('from')], { cacheFolder: at('cache'), jobId: 'merge' })).rejects.toMatchObject({
    code: 'arrays_corrupt',
    message: expect.stringMatching(/X is DOUBLE\[\] in .* and INTEGER\[\] in .*wheat\.parquet.*Nothing was changed/),
  })
  expect(await hashTree(file)).toBe(before)
})

test('a column that files of one workspace have with different types comes as each file has it, also into the trash', async () => {
  await using folder = await temporaryFolder()
  const at = (name: string) => join(folder.path, name)
  const make = async (name: string, score: number, x: string) => {
    const predictions = ['barley', 'wheat'].map((dataset) => ({ id: `${name}-${dataset}`, dataset, score }))
    await makeHybrid(at(name), { predictions })
    await rewriteParquet(join(at(name), 'arrays', 'barley.parquet'), '*, [7]::INTEGER[] AS X')
    await rewriteParquet(join(at(name), 'arrays', 'wheat.parquet'), `*, [${x}]::DOUBLE[] AS X`)
  }
  await make('to', 2, '0.4')
  await make('from', 1, '0.75')
  const { trash_operation } = await mergeStores(at('to'), [at('from')], { cacheFolder: at('cache'), jobId: 'merge' })
  const columnX = (path: string) =>
    withEngine({}, (engine) =>
      engine.rows(
        z.object({ id: z.string(), x: z.array(z.number()), type: z.string() }),
        `SELECT prediction_id AS id, X AS x, typeof(X) AS type FROM read_parquet($path)`,
        {
          path,
        },
      ),
    )
  expect(await columnX(join(at('to'), 'arrays', 'wheat.parquet'))).toEqual([
    { id: 'to-wheat', x: [0.4], type: 'DOUBLE[]' },
    { id: 'from-wheat', x: [0.75], type: 'DOUBLE[]' },
  ])
  const kept = [0, 1].map((n) => join(at('to'), '.nirs-workspace', 'trash', trash_operation ?? '', 'arrays', `${n}.parquet`))
  expect((await Promise.all(kept.map(columnX))).flat()).toEqual([
    { id: 'to-barley', x: [7], type: 'INTEGER[]' },
    { id: 'to-wheat', x: [0.4], type: 'DOUBLE[]' },
  ])
})

test('a column that two files of one dataset have with different types is refused, not rounded', async () => {
  await using folder = await temporaryFolder()
  const at = (name: string) => join(folder.path, name)
  await makeHybrid(at('from'), { predictions: [{ id: 'a' }, { id: 'b', fold: '1' }] })
  const arrays = (name: string) => join(at('from'), 'arrays', name)
  await makeParquet(arrays('wheat.parquet'), [{ id: 'a' }])
  await makeParquet(arrays('more.parquet'), [{ id: 'b', fold: '1' }])
  await rewriteParquet(arrays('more.parquet'), '*, [1]::INTEGER[] AS X')
  await rewriteParquet(arrays('wheat.parquet'), '*, [0.5]::DOUBLE[] AS X')
  const merging = mergeStores(at('to'), [at('from')], { cacheFolder: at('cache'), jobId: 'merge', create: true })
  await expect(merging).rejects.toMatchObject({
    code: 'arrays_corrupt',
    message: expect.stringMatching(/^X is DOUBLE\[\] in arrays\/wheat\.parquet of from and INTEGER\[\] in arrays\/more\.parquet of from\./),
  })
})
