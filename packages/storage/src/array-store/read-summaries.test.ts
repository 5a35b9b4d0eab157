import { readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { runMigration } from '../migration/run-migration.ts'
import { readFooter, withKeyValues, writeFooter } from '../parquet/footer.ts'
import { ownKeys, readSummary, sealed } from '../parquet/own-metadata.ts'
import { copyWorkspace, hasSharedWorkspaces } from '../testing/shared-workspaces.ts'
import { summariseRows } from './append-rows.ts'
import { ArrayFileReader } from './array-file-reader.ts'
import { ArrayFolder } from './array-folder.ts'
import type { ArrayRecord } from './array-record.ts'
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
      // Of the rows alone nobody knows these.
      created_at: null,
      context_exact: null,
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

/** What a training of nirs4all leaves: every score in each partition of its fold, the refit with a score that nobody has measured. */
const training = [2, 5, 20].flatMap((val_score, fold) =>
  ['train', 'val', 'test'].map((partition) => madeRecord(`${fold}-${partition}`, { fold_id: `${fold}`, partition, val_score })),
)
const refits = ['train', 'test', 'val'].map((partition) => madeRecord(`final-${partition}`, { fold_id: 'final', partition, val_score: 0 }))
const measured = { rows: 12, not_finite: 0, values: 3, min: 2, max: 20, mean: 9 }

test('the placeholder score of a refit is in none of the figures: they are of the rows that are ranked, averages among them', async () => {
  await using workspace = await temporaryStore()
  await workspace.store.saveBatch([...training, ...refits])
  const figures = async () => (await readSummaries(workspace.root))[0]?.summary?.metrics[0]
  expect(await figures()).toMatchObject({ ...measured, top: [{ val_score: 2 }, { val_score: 5 }, { val_score: 20 }] })
  await workspace.store.saveBatch([
    madeRecord('avg', { fold_id: 'avg', val_score: 1 }),
    madeRecord('twin', { fold_id: '0_agg', val_score: 0.5 }),
    madeRecord('context', { val_score: 0, about: { refit_context: 'standalone' } }),
  ])
  const more = { rows: 15, values: 4, min: 1, max: 20, mean: 7 }
  expect(await figures()).toMatchObject({ ...more, top: [{ prediction_id: 'avg' }, {}, {}, {}] })
  // Also when it is saved again, by a program that does not say what it is.
  await workspace.store.saveBatch([madeRecord('context', { val_score: 0.25 })])
  expect(await figures()).toMatchObject(more)
  // Also when all rows are read again, because the best goes.
  await workspace.store.deleteBatch(new Set(['avg']))
  await workspace.store.compact()
  expect(await figures()).toMatchObject({ ...measured, rows: 14 })
  await workspace.store.saveBatch([madeRecord('context', { val_score: 0.5, about: { refit_context: null } })])
  expect(await figures()).toMatchObject({ values: 4, min: 0.5, max: 20 })
})

test('figures of an earlier release, which counted refits, are not shown, and worked out anew with the next change', async () => {
  await using workspace = await temporaryStore()
  const { store, arrays, root } = workspace
  const path = join(arrays, 'wheat.parquet')
  const about = { branch_name: 'snv', created_at: '2025-02-01 08:00:00' }
  const changes = [
    () => store.saveBatch([madeRecord('late', { partition: 'test' })]),
    async () => {
      await store.deleteBatch(new Set(['0-test']))
      await store.compact()
    },
  ]
  for (const [index, change] of changes.entries()) {
    await store.deleteDataset('wheat')
    await store.saveBatch([...training, ...refits].map((record) => ({ ...record, about })))
    const footer = await readFooter(path)
    const { version: _, refits: __, ...rest } = readSummary(footer) ?? expect.fail()
    const old = { ...rest, metrics: rest.metrics.map(({ values: ___, ...figures }) => ({ ...figures, min: 0, mean: 6.75 })) }
    await writeFooter(path, footer, sealed(withKeyValues(footer.metadata, new Map([[ownKeys.summary, JSON.stringify(old)]]))))
    const before = (await readSummaries(root))[0]?.summary
    expect(before).toMatchObject({ version: 1, rows: 12, facets: { branch_name: { snv: 12 } } })
    expect(before?.metrics).toMatchObject([{ rows: 12, values: null, min: null, max: null, mean: null, top: [{ val_score: 2 }, {}, {}] }])
    await using other = await temporaryStore()
    await other.store.appendFile(path)
    expect((await readSummaries(other.root))[0]?.summary).toMatchObject({
      version: 2,
      metrics: [measured],
      facets: { branch_name: { snv: 12 } },
    })
    await change()
    const after = (await readSummaries(root))[0]?.summary
    expect(after).toMatchObject({ version: 2, facets: { branch_name: { snv: 12 } }, created_at: { first: about.created_at } })
    expect(after?.metrics).toMatchObject([{ ...measured, rows: index === 0 ? 13 : 11 }])
  }
})

const savedRow = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  fold_id: fc.constantFrom('0', '1', 'avg', 'final', '0_agg', null),
  partition: fc.constantFrom('val', 'val', 'test'),
  val_score: fc.constantFrom(-1, 0, 1, 2, 4, Number.NaN, null),
  metric: fc.constantFrom('rmse', 'r2', 'made_up'),
  refit_context: fc.constantFrom(null, null, 'standalone'),
})
const change = fc.oneof(
  { weight: 3, arbitrary: fc.uniqueArray(savedRow, { minLength: 1, maxLength: 4, selector: ({ id }) => id }) },
  { weight: 1, arbitrary: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f') },
)
type SavedRow = typeof savedRow extends fc.Arbitrary<infer T> ? T : never

/** A mean that was kept up row by row differs from the plain one in its last digits, and may be a little below 0 instead of 0. */
const rounded = (mean: number): number => Number(mean.toFixed(9)) + 0

const figuresOf = (rows: readonly SavedRow[]) => {
  const metrics = [...new Set(rows.map(({ metric }) => metric))].toSorted()
  return metrics.map((metric) => {
    const own = rows.filter((row) => row.metric === metric)
    const isRanked = ({ fold_id, partition, refit_context }: SavedRow) =>
      partition === 'val' && refit_context === null && fold_id !== 'final' && fold_id !== '0_agg'
    const finite = (row: SavedRow): number[] => (row.val_score === null || Number.isNaN(row.val_score) ? [] : [row.val_score])
    const scores = own.filter(isRanked).flatMap(finite)
    const sum = scores.reduce((total, score) => total + score, 0)
    return {
      metric,
      rows: own.length,
      not_finite: own.length - own.flatMap(finite).length,
      values: scores.length,
      min: scores.length === 0 ? null : Math.min(...scores),
      max: scores.length === 0 ? null : Math.max(...scores),
      mean: scores.length === 0 ? null : rounded(sum / scores.length),
      best: { rmse: Math.min(...scores), r2: Math.max(...scores), made_up: null }[metric] ?? null,
    }
  })
}

/** A row that the file has already, bit for bit, is not written again: what the metadata said when it came goes on counting. */
const keptOf = (before: SavedRow | undefined, row: SavedRow): SavedRow =>
  before !== undefined && (['fold_id', 'partition', 'val_score', 'metric'] as const).every((name) => Object.is(before[name], row[name]))
    ? before
    : row

test('whatever is saved, replaced and removed, the figures are those of a plain list of the rows', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
      await using workspace = await temporaryStore()
      const model = new Map<string, SavedRow>()
      for (const step of changes) {
        if (typeof step === 'string') {
          await workspace.store.deleteBatch(new Set([step]))
          await workspace.store.compact()
          model.delete(step)
        } else {
          const recordOf = ({ id, refit_context, ...row }: SavedRow): ArrayRecord => madeRecord(id, { ...row, about: { refit_context } })
          await workspace.store.saveBatch(step.map(recordOf))
          for (const row of step) model.set(row.id, keptOf(model.get(row.id), row))
        }
        const found = (await readSummaries(workspace.root))[0]?.summary?.metrics ?? []
        const told = found.map(({ direction: _, top, mean, min, max, ...figures }) => {
          const best = top[0]?.val_score ?? null
          return { ...figures, min: min === null ? null : min + 0, max, mean: mean === null ? null : rounded(mean), best }
        })
        expect(told).toEqual(figuresOf([...model.values()]).map((figures) => (figures.values === 0 ? { ...figures, best: null } : figures)))
      }
    }),
    { numRuns: 25 },
  )
})

test.runIf(hasSharedWorkspaces())(
  'what a migration says of its files is what their rows give, without the refits of nirs4all',
  async () => {
    await using copy = await copyWorkspace('legacy-0.7.1')
    await runMigration(copy.path, { jobId: 'real' })
    const found = await readSummaries(copy.path)
    expect(found.some(({ summary }) => Object.hasOwn(summary?.facets.fold_id ?? {}, 'final'))).toBe(true)
    for (const { file, summary } of found) {
      const whole = await withLazyEngine(async (engine) => {
        const reader = await ArrayFileReader.open(copy.path, file, engine)
        return summariseRows(reader).finally(() => reader.close())
      })
      const figures = (one: typeof summary) => one?.metrics.map((metric) => ({ ...metric, mean: metric.mean?.toPrecision(12) }))
      expect(figures(summary), file).toEqual(figures(whole))
      for (const { direction, min, max, top } of summary?.metrics ?? []) {
        if (direction === 'lower') expect(min).toBe(top[0]?.val_score ?? null)
        if (direction === 'higher') expect(max).toBe(top[0]?.val_score ?? null)
      }
    }
  },
)
