import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { attachReadOnly, detach } from '../engine/attach-store.ts'
import { withEngine } from '../engine/open-engine.ts'
import { openSqlite } from '../sqlite/open-sqlite.ts'
import { changeSqlite } from '../sqlite/testing/convert-store.ts'
import { digestOfRows } from '../store/chain-figures.ts'
import { type MadePrediction, temporaryFolder } from '../testing/make-store.ts'
import { changeStore } from '../testing/tamper.ts'
import { restoreTrash } from '../trash/restore-trash.ts'
import { applyPlan } from './apply-plan.ts'
import { resolveMaintained, withMetadata } from './maintenance-workspace.ts'
import { makePlan } from './make-plan.ts'
import { makeWorkspace, type StoreKind, snapshot, storeKinds } from './testing/maintenance-fixture.ts'

const job = { jobId: 'job' }
const remove = async (path: string, ...ids: string[]): Promise<string> => {
  const { operation_id } = await applyPlan(path, await makePlan(path, { kind: 'remove_predictions', prediction_ids: ids }), job)
  return operation_id ?? ''
}
const restore = (path: string, operation: string, ids?: readonly string[]) => restoreTrash(path, operation, { ...job, ids })

const Figures = z.object({
  val: z.number().nullable(),
  folds: z.number().nullable(),
  scores: z.string().nullable(),
  final: z.number().nullable(),
})
type Figures = z.infer<typeof Figures>

const query = `SELECT cv_val_score AS val, cv_fold_count AS folds, cv_scores AS scores, final_test_score AS final FROM`
const figuresIn = async (folder: string, kind: StoreKind): Promise<Figures> => {
  if (kind === 'duckdb') {
    return withEngine({}, async (engine) => {
      await attachReadOnly(engine, join(folder, 'store.duckdb'), 'seen')
      const figures = await engine.one(Figures, `${query} seen.main.chains WHERE chain_id = 'c-wheat'`)
      await detach(engine, 'seen')
      return figures
    })
  }
  const store = await openSqlite(join(folder, 'store.sqlite'))
  try {
    return Figures.parse(store.database.prepare(`${query} chains WHERE chain_id = 'c-wheat'`).get())
  } finally {
    await store.close()
  }
}

const change = async (folder: string, kind: StoreKind, sql: string): Promise<void> =>
  kind === 'sqlite' ? changeSqlite(join(folder, 'store.sqlite'), sql) : changeStore(join(folder, 'store.duckdb'), sql)

const fold = (name: string, score: number): MadePrediction => ({
  id: name,
  fold: name,
  score,
  scores: `{"val": {"rmse": ${score}, "r2": NaN}}`,
})
const setTo = (val: number, folds: number, rmse: number) =>
  `UPDATE chains SET cv_val_score = ${val}, cv_fold_count = ${folds}, cv_scores = '{"val": {"rmse": ${rmse}.0, "r2": NaN}}', best_params = '{"n_components": 5}'`

const folds = [fold('0', 1), fold('1', 3), fold('2', 8)]
const averaged = [...folds, fold('avg', 4), fold('w_avg', 9)]
const scoresOf = (rmse: number) => `{"val": {"rmse": ${rmse}.0, "r2": NaN}}`

describe.each(storeKinds)('chains that stay in a store.%s', (kind) => {
  test('say what is left of them when predictions go, and what they said before when all come back', async () => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions: folds, extra: [setTo(4, 3, 4)] })
    const before = await snapshot(folder.path)
    const operation = await remove(folder.path, '2')
    expect(await figuresIn(folder.path, kind)).toEqual({ val: 2, folds: 2, scores: scoresOf(2), final: null })
    const next = await remove(folder.path, '0')
    expect(await figuresIn(folder.path, kind)).toEqual({ val: 3, folds: 1, scores: scoresOf(3), final: null })
    await restore(folder.path, next)
    await restore(folder.path, operation)
    expect(await snapshot(folder.path)).toEqual(before)
  })

  test('get back what they said although no formula says it', async () => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions: folds, extra: [setTo(4.25, 7, 4)] })
    const before = await snapshot(folder.path)
    const operation = await remove(folder.path, '1', '2')
    expect(await figuresIn(folder.path, kind)).toMatchObject({ val: 1, folds: 1 })
    await restore(folder.path, operation, ['1'])
    expect(await figuresIn(folder.path, kind)).toEqual({ val: 2, folds: 2, scores: scoresOf(2), final: null })
    await restore(folder.path, operation)
    expect(await snapshot(folder.path)).toEqual(before)
  })

  test('are worked out anew when other operations have not come back yet', async () => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions: folds, extra: [setTo(4, 3, 4)] })
    const first = await remove(folder.path, '2')
    const second = await remove(folder.path, '0')
    await restore(folder.path, first)
    expect(await figuresIn(folder.path, kind)).toEqual({ val: 5.5, folds: 2, scores: '{"val": {"rmse": 5.5, "r2": NaN}}', final: null })
    await restore(folder.path, second)
    expect(await figuresIn(folder.path, kind)).toEqual({ val: 4, folds: 3, scores: scoresOf(4), final: null })
  })

  test('count averages where they counted before, and only there', async () => {
    for (const [extra, left, back] of [
      [setTo(5, 5, 5), { val: 4.25, folds: 4 }, { val: 5.5, folds: 4 }],
      [setTo(4, 3, 4), { val: 2, folds: 2 }, { val: 4.5, folds: 2 }],
    ] as const) {
      await using folder = await temporaryFolder()
      await makeWorkspace(folder.path, { kind, predictions: averaged, extra: [extra] })
      const before = await snapshot(folder.path)
      await restore(folder.path, await remove(folder.path, 'avg', 'w_avg'))
      expect(await snapshot(folder.path)).toEqual(before)
      const operation = await remove(folder.path, '2')
      expect(await figuresIn(folder.path, kind)).toMatchObject(left)
      await remove(folder.path, '1')
      await restore(folder.path, operation)
      expect(await figuresIn(folder.path, kind)).toMatchObject(back)
    }
  })

  test('are of the metric and the dataset that the chain names', async () => {
    await using folder = await temporaryFolder()
    const named = ["UPDATE predictions SET metric = 'r2' WHERE fold_id = '1'", "UPDATE chains SET metric = 'rmse', dataset_name = 'wheat'"]
    await makeWorkspace(folder.path, { kind, predictions: averaged, extra: [...named, setTo(5, 5, 5)] })
    const before = await snapshot(folder.path)
    const operation = await remove(folder.path, '2')
    expect(await figuresIn(folder.path, kind)).toEqual({
      val: 14 / 3,
      folds: 3,
      scores: '{"val": {"rmse": 4.666667, "r2": NaN}}',
      final: null,
    })
    const next = await remove(folder.path, '0', 'avg', 'w_avg')
    expect(await figuresIn(folder.path, kind)).toEqual({ val: null, folds: 0, scores: null, final: null })
    await restore(folder.path, next)
    await restore(folder.path, operation)
    expect(await snapshot(folder.path)).toEqual(before)
    const last = await remove(folder.path, '2')
    await change(folder.path, kind, "UPDATE chains SET metric = 'r2'")
    await restore(folder.path, last)
    expect(await figuresIn(folder.path, kind)).toEqual({ val: 3, folds: 1, scores: scoresOf(3), final: null })
  })

  test('that nobody has worked out stay so', async () => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions: averaged })
    const before = await snapshot(folder.path)
    const operation = await remove(folder.path, '0', 'avg')
    expect((await snapshot(folder.path)).tables.chains).toEqual(before.tables.chains)
    await restore(folder.path, operation, ['0'])
    expect((await snapshot(folder.path)).tables.chains).toEqual(before.tables.chains)
  })

  test('lose the figures of a refit with it; those of a chain that comes back in part are of that part', async () => {
    await using folder = await temporaryFolder()
    const refit = { id: 'final', fold: 'final', partition: 'test', refit: '{}', score: 0 }
    const extra = [
      "UPDATE predictions SET test_score = 7.5 WHERE fold_id = 'final'",
      setTo(4, 3, 4),
      'UPDATE chains SET final_test_score = 7.5',
    ]
    await makeWorkspace(folder.path, { kind, predictions: [...folds, refit], extra })
    const before = await snapshot(folder.path)
    const operation = await remove(folder.path, 'final')
    expect(await figuresIn(folder.path, kind)).toEqual({ val: 4, folds: 3, scores: scoresOf(4), final: null })
    await restore(folder.path, operation)
    const all = await remove(folder.path, '0', '1', '2', 'final')
    await restore(folder.path, all, ['1', 'final'])
    expect(await figuresIn(folder.path, kind)).toEqual({ val: 3, folds: 1, scores: scoresOf(3), final: 7.5 })
    await restore(folder.path, all)
    expect(await snapshot(folder.path)).toEqual(before)
  })

  test('are worked out anew when a prediction has been saved since', async () => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions: folds, extra: [setTo(4, 3, 4)] })
    const operation = await remove(folder.path, '2')
    await change(folder.path, kind, "UPDATE predictions SET val_score = 6 WHERE prediction_id = '0'")
    await restore(folder.path, operation)
    expect(await figuresIn(folder.path, kind)).toMatchObject({ folds: 3, val: (6 + 3 + 8) / 3 })
  })
})

test.each(storeKinds)('figures that a trash of before does not know stay, and the others are written: a store.%s', async (kind) => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind, predictions: folds, extra: [setTo(4, 3, 4)] })
  await change(folder.path, kind, 'ALTER TABLE chains ADD COLUMN final_agg_test_score REAL')
  await change(folder.path, kind, 'UPDATE chains SET final_agg_test_score = 0.75, final_test_score = 0.5')
  await withMetadata(await resolveMaintained(folder.path), async (_, metadata) => {
    const figures = (await metadata.figuresOf(['c-wheat'])).get('c-wheat') ?? {}
    expect(Object.keys(figures)).toContain('final_agg_test_score')
    const { cv_val_score = null, cv_fold_count = null } = figures
    const after = { cv_val_score: { real: '2.0' }, cv_fold_count: { int: '2' } }
    await metadata.writeFigures([{ chain_id: 'c-wheat', before: { cv_val_score, cv_fold_count }, after }])
    // What a store.sqlite has been told is committed with the removal.
    await metadata.deleteRows([], [])
  })
  expect(await figuresIn(folder.path, kind)).toMatchObject({ val: 2, folds: 2, final: 0.5 })
})

test('the texts of train rows do not tell whether the predictions of a chain are those of a trash of before', async () => {
  await using folder = await temporaryFolder()
  const digestOf = async (name: string, scores: string) => {
    const path = join(folder.path, name)
    await mkdir(path)
    const refit = { id: 'f', fold: 'final', refit: '{}', scores: '{"test": {"rmse": 1.0}}' }
    await makeWorkspace(path, {
      kind: 'duckdb',
      predictions: [...folds, { ...refit, partition: 'test' }, { ...refit, id: 't', partition: 'train', scores }],
    })
    return withMetadata(await resolveMaintained(path), async (_, metadata) => digestOfRows(await metadata.figureRowsOf(['c-wheat'])))
  }
  expect(await digestOf('a', '{"train": {"rmse": 1.0}}')).toBe(await digestOf('b', '{"train": {"rmse": 2.0}}'))
})

test('figures for which a store has no column are left out', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'sqlite', predictions: folds, extra: [setTo(4, 3, 4)] })
  for (const column of ['cv_train_score', 'final_scores', 'cv_test_score']) {
    await change(folder.path, 'sqlite', `ALTER TABLE chains DROP COLUMN ${column}`)
  }
  const before = await snapshot(folder.path)
  const operation = await remove(folder.path, '2')
  expect(await figuresIn(folder.path, 'sqlite')).toMatchObject({ val: 2, folds: 2 })
  await restore(folder.path, operation)
  expect(await snapshot(folder.path)).toEqual(before)
})

const twin = (partition: string, more: Partial<MadePrediction> = {}): MadePrediction => ({
  id: `twin ${partition}`,
  fold: 'final_agg',
  partition,
  refit: '{}',
  ...more,
})
const allTwins = [0.5, 0.25, '{"test": {"rmse": 0.5}, "train": {"rmse": 0.25}}']

/** A workspace whose chain has all figures of the twin of a refit. */
const makeTwins = async (path: string, predictions: readonly MadePrediction[]): Promise<void> => {
  await makeWorkspace(path, { kind: 'sqlite', predictions, extra: [setTo(4, 3, 4)] })
  const columns = ['final_agg_test_score REAL', 'final_agg_train_score REAL', 'final_agg_scores TEXT']
  for (const column of columns) await change(path, 'sqlite', `ALTER TABLE chains ADD COLUMN ${column}`)
  const figures = `final_agg_test_score = 0.5, final_agg_train_score = 0.25, final_agg_scores = '${allTwins[2]}'`
  await change(path, 'sqlite', `UPDATE chains SET ${figures}`)
}

const twinsIn = async (path: string) => {
  const store = await openSqlite(join(path, 'store.sqlite'))
  const row = store.database.prepare(`SELECT * FROM chains WHERE chain_id = 'c-wheat'`).get()
  await store.close()
  return [row?.final_agg_test_score, row?.final_agg_train_score, row?.final_agg_scores]
}

test('figures of the twin of a refit go with it, in part with a part, stay when others go, and come back', async () => {
  await using folder = await temporaryFolder()
  await makeTwins(folder.path, [...folds, twin('test'), twin('train')])
  const before = await snapshot(folder.path)
  const train = await remove(folder.path, 'twin train')
  expect(await twinsIn(folder.path)).toEqual([0.5, null, null])
  await restore(folder.path, train)
  expect(await snapshot(folder.path)).toEqual(before)
  const both = await remove(folder.path, 'twin test', 'twin train')
  expect(await twinsIn(folder.path)).toEqual([null, null, null])
  const other = await remove(folder.path, '2')
  await restore(folder.path, both, ['twin test'])
  expect(await twinsIn(folder.path)).toEqual([0.5, null, null])
  await restore(folder.path, both)
  expect(await twinsIn(folder.path)).toEqual(allTwins)
  await restore(folder.path, other)
  expect(await snapshot(folder.path)).toEqual(before)
})

test('a chain of which a part comes back has the figures of the twin that are of it, and those that never had predictions', async () => {
  await using folder = await temporaryFolder()
  await makeTwins(folder.path, [...folds, twin('test'), twin('train')])
  const before = await snapshot(folder.path)
  const removeChain = async () => {
    const { operation_id } = await applyPlan(folder.path, await makePlan(folder.path, { kind: 'remove_chain', chain_id: 'c-wheat' }), job)
    return operation_id ?? ''
  }
  const chain = await removeChain()
  await restore(folder.path, chain, ['1'])
  expect(await twinsIn(folder.path)).toEqual([null, null, null])
  await restore(folder.path, chain, ['twin train'])
  expect(await twinsIn(folder.path)).toEqual([null, 0.25, null])
  await restore(folder.path, chain)
  expect(await snapshot(folder.path)).toEqual(before)
  await change(folder.path, 'sqlite', "DELETE FROM predictions WHERE prediction_id = 'twin test'")
  await restore(folder.path, await removeChain(), ['1'])
  expect(await twinsIn(folder.path)).toEqual([0.5, null, null])
})

test('figures of the twin of a refit are those of the metric and the dataset that the chain names', async () => {
  await using folder = await temporaryFolder()
  await makeTwins(folder.path, [...folds, twin('other'), twin('train')])
  const other = "metric = 'r2', model_name = 'Other', \"partition\" = 'train' WHERE prediction_id = 'twin other'"
  await change(folder.path, 'sqlite', `UPDATE predictions SET ${other}; UPDATE chains SET metric = 'rmse'`)
  const before = await snapshot(folder.path)
  const operation = await remove(folder.path, 'twin other')
  expect(await twinsIn(folder.path)).toEqual(allTwins)
  await restore(folder.path, operation)
  const both = await remove(folder.path, 'twin other', 'twin train')
  expect(await twinsIn(folder.path)).toEqual([0.5, null, null])
  await restore(folder.path, both, ['twin other'])
  expect(await twinsIn(folder.path)).toEqual([0.5, null, null])
  await restore(folder.path, both)
  expect(await snapshot(folder.path)).toEqual(before)
})
