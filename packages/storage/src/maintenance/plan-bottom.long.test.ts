import { metricDirection } from '@nirs-workspace/types'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { attachWritable, detach } from '../engine/attach-store.ts'
import { type Engine, withEngine } from '../engine/open-engine.ts'
import { storeTables } from '../migration/store-schema.ts'
import { DuckdbMetadata } from './duckdb-metadata.ts'
import type { OpenWorkspace } from './maintenance-workspace.ts'
import { planBottom } from './plan-bottom.ts'

interface Made {
  readonly id: string
  readonly dataset: string
  readonly metric: string
  readonly model: string
  readonly fold: string
  readonly part: string
  readonly score: number | null
  readonly refit: boolean
}

const scores = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(0, -0, 1, 2, 3, -1, -2) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, null) },
  { weight: 2, arbitrary: fc.double({ noNaN: true }) },
)
const made = fc
  .array(
    fc.record({
      dataset: fc.constantFrom('wheat', "o'brien", ''),
      metric: fc.constantFrom('rmse', 'r2', 'bias'),
      model: fc.constantFrom('PLS', 'Ridge', 'SVM'),
      fold: fc.constantFrom('0', '1', '2', 'avg', '0_agg'),
      part: fc.constantFrom('val', 'val', 'val', 'test', 'train'),
      score: scores,
      refit: fc.boolean(),
    }),
    { maxLength: 40 },
  )
  .map((rows): Made[] => rows.map((row, index) => ({ ...row, refit: row.refit && index % 5 === 0, id: `p${index}` })))

const literal = (score: number | null): string => (score === null ? 'NULL' : `'${Object.is(score, -0) ? '-0.0' : score}'::DOUBLE`)

const withStore = <T>(work: (open: OpenWorkspace, fill: (rows: readonly Made[]) => Promise<void>) => Promise<T>): Promise<T> =>
  withEngine({}, async (engine) => {
    await attachWritable(engine, ':memory:', 'store')
    // Without its references, as the property is about ranking alone.
    await engine.run(`CREATE TABLE store.predictions (${storeTables.predictions.replace(/REFERENCES \w+\(\w+\)/g, '')})`)
    await engine.run(`CREATE TABLE store.chains (chain_id VARCHAR PRIMARY KEY, pipeline_id VARCHAR)`)
    await engine.run(`CREATE TABLE store.pipelines (pipeline_id VARCHAR PRIMARY KEY, run_id VARCHAR)`)
    await engine.run(
      'CREATE TEMP TABLE array_rows (prediction_id VARCHAR, dataset_name VARCHAR, file INTEGER, position BIGINT, removed BOOLEAN)',
    )
    const metadata = await DuckdbMetadata.open({ engine, alias: 'store', path: '', root: '' })
    const resolved = { root: '', name: '', kind: 'workspace', duckdb: null, sqlite: null, bak: null, arrays: '', parquet: null } as const
    const index = { files: [], tombstones: 0, tombstonesCorrupt: false }
    const open = { resolved, engine, metadata, index, stars: { ids: ['p3'] }, now: new Date() }
    const result = await work(open, (rows) => fillWith(engine, rows))
    await detach(engine, 'store')
    return result
  })

const fillWith = async (engine: Engine, rows: readonly Made[]): Promise<void> => {
  await engine.run('DELETE FROM store.predictions')
  if (rows.length === 0) return
  const values = rows.map(
    ({ id, dataset, metric, model, fold, part, score, refit }) =>
      `('${id}', 'p', '${dataset.replaceAll("'", "''")}', '${model}', '${model}', '${fold}', '${part}', ${literal(score)}, ${literal(score)}, ${literal(score)}, '${metric}', 'regression', ${refit ? "'final'" : 'NULL'})`,
  )
  await engine.run(
    `INSERT INTO store.predictions (prediction_id, pipeline_id, dataset_name, model_name, model_class, fold_id, "partition", val_score, test_score,
       train_score, metric, task_type, refit_context) VALUES ${values.join(', ')}`,
  )
}

const merit = (metric: string, score: number): number => {
  const direction = metricDirection(metric)
  return direction === 'higher' ? score : direction === 'lower' ? -score : -Math.abs(score)
}

const unitOf = ({ dataset, model, fold }: Made): string => JSON.stringify([dataset, model, fold.replace(/_agg$/, '')])

const checkRemoved = (rows: readonly Made[], part: string, fraction: number, removed: ReadonlySet<string>): void => {
  const groups = Map.groupBy(
    rows.filter((row) => row.part === part && !row.refit),
    ({ dataset, metric }) => JSON.stringify([dataset, metric]),
  )
  const starredUnit = rows.find(({ id, refit }) => id === 'p3' && !refit)
  for (const row of rows) {
    if (row.refit) expect(removed.has(row.id), 'a refit stays').toBe(false)
    if (starredUnit !== undefined && !row.refit && unitOf(row) === unitOf(starredUnit))
      expect(removed.has(row.id), 'starred stays').toBe(false)
  }
  for (const group of groups.values()) {
    const finite = group.filter(({ score }) => score !== null && Number.isFinite(score))
    const best = Math.max(...finite.map(({ metric, score }) => merit(metric, score ?? 0)))
    const isBest = ({ metric, score }: Made) => merit(metric, score ?? 0) === best
    if (finite.length > 0)
      expect(
        finite.some((row) => isBest(row) && !removed.has(row.id)),
        'a best one stays',
      ).toBe(true)
    const ranked = group.filter(({ fold }) => !fold.endsWith('_agg'))
    expect(ranked.filter(({ id }) => removed.has(id)).length).toBeLessThanOrEqual(ranked.length)
    if (fraction === 0) expect(group.filter(({ id }) => removed.has(id))).toEqual([])
  }
}

test('test_remove_bottom: the best finite prediction of any group stays, whatever the direction, with ties, NaN, null, refits and stars', async () => {
  await withStore(async (open, fill) => {
    await fc.assert(
      fc.asyncProperty(
        made,
        fc.constantFrom(0, 0.1, 0.2, 0.5, 0.99, 1),
        fc.constantFrom('val', 'test', 'train'),
        async (rows, fraction, partition) => {
          await fill(rows)
          const { selection, report } = await planBottom(open, { kind: 'remove_bottom', fraction, partition })
          const removed = new Set(selection.tables.find(({ table }) => table === 'predictions')?.keys ?? [])
          checkRemoved(rows, partition, fraction, removed)
          expect(report.removed).toBe(removed.size)
          expect(report.remaining).toBe(rows.length - removed.size)
          for (const { ranked, ranked_removed } of report.groups)
            expect(ranked_removed).toBeLessThanOrEqual(Math.floor(ranked * fraction + 1e-9))
        },
      ),
      { numRuns: 150 },
    )
  })
})

const rowsOf = (scores: readonly (number | null)[], metric: string): Made[] =>
  scores.map((score, index) => ({
    id: `p${index + 10}`,
    dataset: 'wheat',
    metric,
    model: `m${index}`,
    fold: '0',
    part: 'val',
    score,
    refit: false,
  }))

test.each([
  ['rmse', [3, 1, Number.NaN, null, 2], ['p12', 'p13']],
  ['r2', [0.1, 0.9, 0.5, Number.POSITIVE_INFINITY, 0.2], ['p10', 'p13']],
  ['bias', [-5, 0.1, 4, -0.2, 3], ['p10', 'p12']],
])('%s: what goes first is not finite, then the worst', async (metric, scores, expected) => {
  await withStore(async (open, fill) => {
    await fill(rowsOf(scores, metric))
    const { selection } = await planBottom(open, { kind: 'remove_bottom', fraction: 0.4, partition: 'val' })
    expect(selection.tables.find(({ table }) => table === 'predictions')?.keys).toEqual(expected)
  })
})

test('a metric that is named is ranked in all its spellings; another average over classes is another metric', async () => {
  await withStore(async (open, fill) => {
    await fill(
      ['f1_micro', 'F1_Micro', 'f1_macro', 'f1'].flatMap((metric) =>
        rowsOf([0.9, 0.1], metric).map((row, index) => ({ ...row, id: `${metric} ${index}`, model: `${metric} ${index}` })),
      ),
    )
    const { selection } = await planBottom(open, { kind: 'remove_bottom', fraction: 0.5, partition: 'val', metric: 'f1_micro' })
    expect(selection.tables.find(({ table }) => table === 'predictions')?.keys).toEqual(['F1_Micro 1', 'f1_micro 1'])
  })
})

test('spellings of one metric are ranked against each other', async () => {
  await withStore(async (open, fill) => {
    const named = (metric: string, scores: number[]) =>
      rowsOf(scores, metric).map((row, index) => ({ ...row, id: `${metric} ${index}`, model: `${metric} ${index}` }))
    await fill([...named('rmse', [0.1, 0.2]), ...named('RMSE', [5, 6])])
    const { selection, report } = await planBottom(open, { kind: 'remove_bottom', fraction: 0.5, partition: 'val' })
    expect(selection.tables.find(({ table }) => table === 'predictions')?.keys).toEqual(['RMSE 0', 'RMSE 1'])
    expect(report.groups).toEqual([
      expect.objectContaining({ ranked: 4, ranked_removed: 2, best: { prediction_id: 'rmse 0', score: 0.1 } }),
    ])
  })
})

test('a direction that is given is for metrics whose direction is unknown, and refused where it contradicts that of the named one', async () => {
  await withStore(async (open, fill) => {
    await fill(
      ['rmse', 'weird'].flatMap((metric) =>
        rowsOf([1, 2, 3, 4], metric).map((row, index) => ({ ...row, id: `${metric} ${index}`, model: `${metric} ${index}` })),
      ),
    )
    const bottom = { kind: 'remove_bottom', fraction: 0.25, partition: 'val' } as const
    const { selection, report } = await planBottom(open, { ...bottom, direction: 'higher' })
    expect(selection.tables.find(({ table }) => table === 'predictions')?.keys).toEqual(['rmse 3', 'weird 0'])
    expect(report.groups.map(({ direction }) => direction)).toEqual(['lower', 'higher'])
    await expect(planBottom(open, { ...bottom, metric: 'RMSE', direction: 'higher' })).rejects.toMatchObject({
      code: 'validation',
      message: 'For RMSE less is better, not more. Nothing was removed.',
    })
    expect((await planBottom(open, { ...bottom, metric: 'rmse', direction: 'lower' })).report.removed).toBe(1)
    await expect(planBottom(open, bottom)).rejects.toMatchObject({ code: 'metric_direction_unknown' })
  })
})

test('siblings of the same model and fold go with it, those of another fold stay', async () => {
  await withStore(async (open, fill) => {
    const of = (id: string, fold: string, part: string, score: number): Made => ({
      id,
      dataset: 'wheat',
      metric: 'rmse',
      model: 'PLS',
      fold,
      part,
      score,
      refit: false,
    })
    await fill([
      of('good', '0', 'val', 1),
      of('good-train', '0', 'train', 9),
      of('bad', '1', 'val', 5),
      of('bad-train', '1', 'train', 0.1),
      of('bad-test', '1', 'test', 0.1),
      of('bad-agg', '1_agg', 'test', 0.1),
    ])
    const { selection, report } = await planBottom(open, { kind: 'remove_bottom', fraction: 0.5, partition: 'val' })
    expect(selection.tables.find(({ table }) => table === 'predictions')?.keys).toEqual(['bad', 'bad-agg', 'bad-test', 'bad-train'])
    expect(report).toMatchObject({
      removed: 4,
      remaining: 2,
      threshold_score: 5,
      groups: [{ ranked: 2, ranked_removed: 1, histogram: { from: 1, to: 5 } }],
    })
  })
})
