import { readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readFooter } from '../parquet/footer.ts'
import { readSummary } from '../parquet/own-metadata.ts'
import { summariseRows } from './append-rows.ts'
import { ArrayFolder } from './array-folder.ts'
import { withLazyEngine } from './lazy-engine.ts'
import { readSummaries } from './read-summaries.ts'
import { loadAll, madeRecord, madeRecords, temporaryStore } from './testing/made-records.ts'

test('summaries of all files come from their footers; files without one, or with a changed one, have none', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays, root } = workspace
  for (let index = 0; index < 20; index++) await store.saveBatch(madeRecords(index + 1, { dataset_name: `set ${index}` }, `s${index}`))
  await writeFile(join(arrays, 'torn.parquet'), 'PAR1 and nothing more')
  await symlink(join(arrays, 'set_3.parquet'), join(arrays, 'link.parquet'))
  const changed = await readFile(join(arrays, 'set_5.parquet'))
  const at = changed.indexOf('"rows":6')
  changed[at + 7] = '5'.charCodeAt(0)
  await writeFile(join(arrays, 'set_5.parquet'), changed)
  const found = new Map((await readSummaries(root)).map((one) => [one.file, one]))
  expect(found.size).toBe(22)
  expect(found.get('arrays/torn.parquet')).toMatchObject({ rows: 0, summary: null })
  expect(found.get('arrays/link.parquet')).toMatchObject({ bytes: 0, summary: null })
  expect(found.get('arrays/set_5.parquet')).toMatchObject({ rows: 6, summary: null })
  expect(found.get('arrays/set_7.parquet')).toMatchObject({ rows: 8, summary: { rows: 8, datasets: [{ name: 'set 7', rows: 8 }] } })
  expect(found.get('arrays/set_7.parquet')?.summary).toEqual(readSummary(await readFooter(join(arrays, 'set_7.parquet'))))
})

test('the summary that is kept row by row is the one that all rows together give', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays, root } = workspace
  const scores = [3, 1, Number.NaN, null, 2, Number.POSITIVE_INFINITY, -4, 0.5]
  const varied = (round: number, count = 8) =>
    madeRecords(count, {}, `r${round}`).map((record, index) => ({
      ...record,
      metric: ['rmse', 'r2', 'bias', 'made_up', null][(index + round) % 5] ?? null,
      partition: index % 3 === 0 ? 'test' : 'val',
      fold_id: ['0', 'avg', 'final', '1_agg'][index % 4] ?? null,
      task_type: index % 2 === 0 ? 'regression' : 'classification',
      val_score: scores[(index * 3 + round) % scores.length] ?? null,
    }))
  const expectSame = async () => {
    const path = join(arrays, 'wheat.parquet')
    const whole = await withLazyEngine(async (engine) => {
      const reader = await new ArrayFolder(root).open('wheat.parquet', engine)
      return summariseRows(reader).finally(() => reader.close())
    })
    const kept = readSummary(await readFooter(path))
    const close = (summary: typeof kept) => ({
      ...summary,
      created_at: null,
      metrics: summary?.metrics.map((figures) => ({ ...figures, mean: figures.mean === null ? null : Number(figures.mean.toFixed(9)) })),
    })
    expect(close(kept)).toEqual(close(whole))
  }
  for (let round = 0; round < 4; round++) {
    await store.saveBatch(varied(round))
    await expectSame()
  }
  // The best of all gets worse, then goes: the next one is the best.
  const best =
    readSummary(await readFooter(join(arrays, 'wheat.parquet')))?.metrics.find(({ metric }) => metric === 'rmse')?.top[0]?.prediction_id ??
    ''
  const [row] = [(await loadAll(store, 'wheat')).get(best)]
  await store.saveBatch([{ ...madeRecord(best), ...row, val_score: 1000 }])
  await expectSame()
  await store.deleteBatch(new Set([best, 'r1-2', 'r2-5']))
  await store.compact()
  await expectSame()
})

test('a replaced row is not counted again when its file is written anew, and the summary still fits after a compaction', async () => {
  await using workspace = await temporaryStore()
  const { store, root } = workspace
  const scored = (id: string, val_score: number, dataset_name = 'a b') => madeRecord(id, { dataset_name, val_score })
  const right = {
    rows: 2,
    datasets: [{ name: 'a b', rows: 2 }],
    metrics: [{ min: 0.5, max: 0.9, rows: 2, top: [{ prediction_id: 'p', val_score: 0.5 }, { prediction_id: 'z' }] }],
  }
  await store.saveBatch([scored('p', 0.1), scored('z', 0.9)])
  await store.saveBatch([scored('p', 0.5)])
  for (const remove of [() => store.deleteDataset('a_b'), () => store.dropArrays(new Set(['x']))]) {
    await store.saveBatch([scored('x', 0.01, 'a_b')])
    await remove()
    expect(await readSummaries(root)).toMatchObject([{ rows: 3, summary: right }])
  }
  expect(await store.compact()).toMatchObject({ rows_removed: 1 })
  expect(await readSummaries(root)).toMatchObject([{ rows: 2, summary: right }])
})

test('branches, refits and dates are counted as they are told, the time of saving when they are not', async () => {
  await using workspace = await temporaryStore()
  const about = (branch_name: string, created_at: string) => ({ about: { branch_name, created_at, refit_context: null } })
  await workspace.store.saveBatch([
    madeRecord('a', about('snv', '2025-03-01 08:00:00')),
    madeRecord('b', about('msc', '2025-02-01 08:00:00')),
  ])
  await workspace.store.saveBatch([madeRecord('c', { about: { branch_name: 'snv', refit_context: 'standalone' }, val_score: 0 })])
  const [one] = await readSummaries(workspace.root)
  expect(one?.summary).toMatchObject({
    facets: { branch_name: { snv: 2, msc: 1 }, refit_context: { standalone: 1 } },
    created_at: { first: '2025-02-01 08:00:00', last: expect.stringMatching(/^20\d\d-/) },
  })
  // A refit is not ranked with the cross-validation.
  expect(one?.summary?.metrics[0]?.top.map(({ prediction_id }) => prediction_id)).not.toContain('c')
})
