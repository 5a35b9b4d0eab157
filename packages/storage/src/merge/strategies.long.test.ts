import { type MergedSource, type MergeStrategy, metricDirection } from '@nirs-workspace/types'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { catalogDefinition } from '../catalog/catalog-schema.ts'
import { type Engine, withEngine } from '../engine/open-engine.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { countSource } from './count-merge.ts'
import { goneIds } from './match-predictions.ts'
import { type MergeSource, workOutMerge } from './open-merge.ts'
import { ofSource } from './source-views.ts'

interface Row {
  readonly id: string
  readonly dataset: string
  readonly key: string
  readonly partition: string
  readonly metric: string
  readonly score: number | null
  readonly day: number
}

const row = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd', 'e', '__proto__'),
  dataset: fc.constant('wheat'),
  key: fc.constantFrom('x', "o'z"),
  partition: fc.constantFrom('val', 'train'),
  metric: fc.constantFrom('rmse', 'accuracy', 'bias', 'oddness'),
  score: fc.constantFrom(null, Number.NaN, Number.POSITIVE_INFINITY, -0.5, 0, 0.25, 0.5, 1),
  day: fc.integer({ min: 1, max: 4 }),
})
const store = fc.uniqueArray(row, { selector: ({ id }) => id, maxLength: 6 })

/** Stores of several cases as one store: each case a dataset of its own, with ids of its own. */
const joined = (stores: readonly (readonly Row[])[]): Row[] =>
  stores.flatMap((rows, index) => (index === 0 ? rows : rows.map((one) => ({ ...one, id: `${index}${one.id}`, dataset: `soil ${index}` }))))

/** Looking for a smaller example ends before the test does, which would hide the one that was found. */
const limits = { interruptAfterTimeLimit: 120_000, markInterruptAsFailure: true }

/** What costs is the merge, not what is in it: several cases are merged in one. */
const several = (mostSources: number) =>
  fc
    .array(fc.record({ target: store, sources: fc.array(store, { minLength: 1, maxLength: mostSources }) }), {
      minLength: 8,
      maxLength: 12,
    })
    .map((cases) => ({
      target: joined(cases.map(({ target }) => target)),
      sources: Array.from({ length: Math.max(...cases.map(({ sources }) => sources.length)) }, (_, index) =>
        joined(cases.map(({ sources }) => sources[index] ?? [])),
      ),
    }))

/** A prediction in the model. `label` is its id, or for one that got another id what that id is made from. */
interface Alive extends Row {
  readonly label: string
}

const foldOf = ({ dataset, key, metric }: Row) => `${dataset} ${key} ${metric}`
const keyOf = (one: Row) => `${foldOf(one)} ${one.partition}`
const contentOf = (one: Row) => `${keyOf(one)} ${Number.isNaN(one.score) ? null : one.score}`

const better = (metric: string, a: readonly Row[], b: readonly Row[]): boolean => {
  const direction = metricDirection(metric)
  const value = (score: number) => (direction === 'higher' ? -score : direction === 'zero' ? Math.abs(score) : score)
  const best = (rows: readonly Row[]) =>
    Math.min(...rows.flatMap(({ score }) => (score === null || !Number.isFinite(score) ? [] : [value(score)])))
  return best(a) < best(b)
}

const latest = (rows: readonly Row[]) => Math.max(...rows.map((one) => one.day))

/** What a merge should leave: the plain form of what the SQL says, fold by fold. */
const mergeModel = (strategy: MergeStrategy, target: readonly Row[], sources: readonly (readonly Row[])[]): Alive[] => {
  let alive: Alive[] = target.map((one) => ({ ...one, label: one.id }))
  const taken = new Set(target.map(({ id }) => id))
  for (const source of sources) {
    const isSame = (own: Row, there: Alive) =>
      (there.label === own.id && contentOf(there) === contentOf(own)) || there.label === `${own.id} as ${contentOf(own)}`
    const shared = new Set(alive.filter((there) => source.some((own) => isSame(own, there))))
    const fresh = source.filter((own) => !alive.some((there) => isSame(own, there)))
    for (const [fold, own] of Map.groupBy(fresh, foldOf)) {
      const rivals = alive.filter((there) => foldOf(there) === fold && !shared.has(there))
      const isContested = rivals.some((there) => own.some((one) => keyOf(one) === keyOf(there)))
      const wins = isContested && decide(strategy, own, rivals)
      if (wins === 'keep_target') continue
      if (wins === 'take_source') alive = alive.filter((there) => !rivals.includes(there))
      alive = [...alive, ...own.map((one) => ({ ...one, label: taken.has(one.id) ? `${one.id} as ${contentOf(one)}` : one.id }))]
    }
    for (const { label } of alive) taken.add(label)
  }
  return alive
}

const decide = (strategy: MergeStrategy, own: readonly Row[], rivals: readonly Row[]) => {
  const metric = own[0]?.metric ?? ''
  if (strategy === 'skip') return 'keep_target'
  if (strategy === 'keep_all' || (strategy === 'keep_best' && metricDirection(metric) === 'unknown')) return 'keep_both'
  const wins = strategy === 'keep_latest' ? latest(own) > latest(rivals) : better(metric, own, rivals)
  return wins ? 'take_source' : 'keep_target'
}

const nowhere: ResolvedWorkspace = {
  root: '/',
  name: 'made',
  kind: 'workspace',
  duckdb: null,
  sqlite: null,
  bak: null,
  arrays: '/',
  parquet: null,
}

const structure = JSON.stringify([
  { id: 'VARCHAR', dataset: 'VARCHAR', key: 'VARCHAR', partition: 'VARCHAR', metric: 'VARCHAR', score: 'DOUBLE', day: 'INTEGER' },
])

const attachCatalog = async (engine: Engine, alias: string, rows: readonly Row[]): Promise<void> => {
  await engine.run(`ATTACH ':memory:' AS ${alias}`)
  for (const statement of catalogDefinition(alias)) await engine.run(statement)
  await engine.run(
    `INSERT INTO ${alias}.main.predictions BY NAME SELECT r.id AS prediction_id, 'p' AS pipeline_id, r.dataset AS dataset_name, r."key" AS model_name,
       'M' AS model_class, '0' AS fold_id, r."partition", r.score AS val_score, r.metric, '' AS task_type, '' AS preprocessings,
       '2026-01-01'::TIMESTAMP + to_days(r.day) AS created_at, 'fold' AS fold_kind, false AS aggregated, false AS has_arrays, '' AS search_text
     FROM (SELECT unnest(from_json($rows, $structure)) AS r)`,
    // JSON has no NaN and no infinity; a text that says so becomes a DOUBLE.
    { rows: JSON.stringify(rows.map((one) => ({ ...one, score: one.score === null ? null : String(one.score) }))), structure },
  )
}

/** A merge of these rows worked out, nothing written. */
const withWorkedOut = <T>(
  strategy: MergeStrategy,
  target: readonly Row[],
  sources: readonly (readonly Row[])[],
  look: (engine: Engine, opened: readonly MergeSource[]) => Promise<T>,
): Promise<T> =>
  withEngine({ threads: 1 }, async (engine) => {
    await attachCatalog(engine, 'target_catalog', target)
    for (const [index, rows] of sources.entries()) await attachCatalog(engine, `source_${index}`, rows)
    const opened = sources.map((_, index) => ({ index, resolved: nowhere, fingerprint: '' }))
    await workOutMerge(engine, opened, { onConflict: strategy, datasets: null })
    return await look(engine, opened)
  })

const Found = z.object({ id: z.string(), origin: z.number() })

const mergeReal = (strategy: MergeStrategy, target: readonly Row[], sources: readonly (readonly Row[])[]): Promise<string[]> =>
  withWorkedOut(strategy, target, sources, async (engine) => {
    const found = await engine.rows(Found, "SELECT id, origin FROM memory.main.present WHERE state = 'alive'")
    const origins = await Promise.all(
      sources.map(async (rows, index) => {
        const pairs = await engine.rows(
          z.object({ id: z.string(), new_id: z.string() }),
          `SELECT id, new_id FROM ${ofSource(index, 'matched')} WHERE action = 'insert'`,
        )
        return new Map(pairs.map(({ id, new_id }) => [new_id, { row: rows.find((one) => one.id === id), isNew: id !== new_id }]))
      }),
    )
    return found
      .map(({ id, origin }) => {
        const from = origin === -1 ? { row: target.find((one) => one.id === id), isNew: false } : origins[origin]?.get(id)
        if (from?.row === undefined) throw new Error(`${id} comes from nowhere`)
        return describeRow(from.row, from.isNew ? `${from.row.id} as ${contentOf(from.row)}` : id)
      })
      .sort()
  })

const describeRow = (one: Row, label: string) => `${label}: ${contentOf(one)} on day ${one.day}`

test.each(['keep_best', 'keep_latest', 'keep_all', 'skip'] as const)(
  'test_merge_stores: %s does what a plain model of it does',
  async (strategy) => {
    await fc.assert(
      fc.asyncProperty(several(3), async ({ target, sources }) => {
        const expected = mergeModel(strategy, target, sources).map((one) => describeRow(one, one.label))
        expect(await mergeReal(strategy, target, sources)).toEqual(expected.sort())
      }),
      { numRuns: 5, ...limits },
    )
  },
)

const made = (id: string, score: number, day: number): Row => ({
  id,
  dataset: 'wheat',
  key: 'x',
  partition: 'val',
  metric: 'rmse',
  score,
  day,
})

test('what one source brings under another id and a second replaces comes again with a third, which has it later or with something better', async () => {
  const [target, first, second] = [[made('x', 0.9, 1)], [made('x', 0.6, 2)], [made('w', 0.5, 3)]]
  const thirds = { keep_best: [made('x', 0.6, 4), made('z', 0.3, 4)], keep_latest: [made('x', 0.6, 4)] } as const
  for (const strategy of ['keep_best', 'keep_latest'] as const) {
    const sources = [first, second, thirds[strategy]]
    const expected = mergeModel(strategy, target, sources).map((one) => describeRow(one, one.label))
    expect(expected).toContain('x as wheat x rmse val 0.6: wheat x rmse val 0.6 on day 4')
    expect(await mergeReal(strategy, target, sources)).toEqual(expected.sort())
  }
})

test('test_merge_stores: keep_best never loses the best finite score of a fold; into an empty target nothing is lost', async () => {
  await fc.assert(
    fc.asyncProperty(several(1), async ({ target: a, sources: [b = []] }) => {
      const merged = await mergeReal('keep_best', a, [b])
      for (const [fold, rows] of Map.groupBy([...a, ...b], foldOf)) {
        const left = [...a, ...b].filter(
          (one) => foldOf(one) === fold && merged.some((text) => text.includes(`: ${contentOf(one)} on day`)),
        )
        const metric = rows[0]?.metric ?? ''
        if (metricDirection(metric) !== 'unknown') expect(better(metric, rows, left)).toBe(false)
      }
      expect(await mergeReal('keep_best', [], [a])).toHaveLength(a.length)
    }),
    { numRuns: 4, ...limits },
  )
})

const Counted = z.object({ n: z.number() })

test('test_merge_stores: what is said of the sources adds up, for each and in all; what comes from none has no run or chain', async () => {
  const strategies = fc.constantFrom('keep_best', 'keep_latest', 'keep_all', 'skip')
  await fc.assert(
    fc.asyncProperty(strategies, store, fc.array(store, { minLength: 2, maxLength: 3 }), async (strategy, target, sources) => {
      await withWorkedOut(strategy, target, sources, async (engine, opened) => {
        const count = async (sql: string) => (await engine.one(Counted, `SELECT count(*) AS n FROM (${sql})`)).n
        const counted: MergedSource[] = []
        for (const [index, source] of opened.entries()) {
          const figures = await countSource(engine, source)
          const { predictions_read, predictions_merged, already_there, skipped, replaced } = figures
          expect(predictions_read).toBe(sources[index]?.length)
          expect(predictions_merged + already_there + skipped).toBe(predictions_read)
          if (predictions_merged === 0) expect(replaced).toBe(0)
          if (predictions_merged === 0 && predictions_read > 0)
            expect(await count(`FROM ${ofSource(index, 'map')} WHERE action = 'insert'`)).toBe(0)
          counted.push(figures)
        }
        const sum = (key: 'predictions_merged' | 'replaced') => counted.reduce((all, figures) => all + figures[key], 0)
        expect(sum('replaced')).toBe(await count(goneIds))
        expect(target.length - sum('replaced') + sum('predictions_merged')).toBe(
          await count("FROM memory.main.present WHERE state = 'alive'"),
        )
        for (const { index } of opened) {
          const promised = `FROM ${ofSource(index, 'conflicts')} WHERE decision = 'take_source' AND natural_key NOT IN
            (SELECT natural_key FROM memory.main.present WHERE state = 'alive' AND origin = ${index})`
          expect(await count(promised)).toBe(0)
        }
      })
    }),
    { numRuns: 25 },
  )
})
