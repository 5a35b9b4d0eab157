import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../testing/make-store.ts'
import { arraysOf, beginLineage, type Lineage, predictedOf, predictionOf } from './testing/store-fixture.ts'
import { WorkspaceStore } from './workspace-store.ts'

const row = fc.record({
  fold: fc.constantFrom('0', '1', 'avg'),
  branch: fc.constantFrom(null, 0),
  score: fc.constantFrom(0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, null),
  values: fc.option(fc.array(fc.double({ noNaN: true }), { minLength: 2, maxLength: 2 })),
})
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('save' as const), row }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('buffer' as const), row }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'flush' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), at: fc.nat(5) }) },
)
type Row = typeof row extends fc.Arbitrary<infer T> ? T : never
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never
interface Known {
  score: number | null
  values: readonly number[] | null
}

const keyOf = ({ fold, branch }: Row): string => `${fold}/${branch}`

/** What a store should hold, in a map. */
class Model {
  readonly rows = new Map<string, Known>()
  #buffer: Row[] = []

  put(one: Row): void {
    const known = this.rows.get(keyOf(one))
    const values = one.values ?? (known !== undefined && Object.is(known.score, one.score) ? known.values : null)
    this.rows.set(keyOf(one), { score: one.score, values })
  }

  buffer(one: Row): void {
    this.#buffer.push(one)
  }

  flush(): void {
    for (const one of this.#buffer) this.put(one)
    this.#buffer = []
  }
}

const inputOf = (lineage: Lineage, { fold, branch, score }: Row) =>
  predictionOf(lineage, { fold_id: fold, branch_id: branch, val_score: score })

const stateOf = async (store: WorkspaceStore): Promise<Map<string, Known>> => {
  const rows = await store.queryPredictions({}, { limit: 1000 })
  const entries = await Promise.all(
    rows.map(async (one) => {
      const values = await predictedOf(store, one.prediction_id)
      return [`${one.fold_id}/${one.branch_id}`, { score: one.val_score, values: values as readonly number[] | null }] as const
    }),
  )
  expect(new Set(entries.map(([key]) => key)).size).toBe(rows.length)
  return new Map(entries)
}

/** A store beside what it should hold. */
class Pair {
  readonly model = new Model()
  readonly #path: string
  readonly #lineage: Lineage
  store: WorkspaceStore

  constructor(path: string, store: WorkspaceStore, lineage: Lineage) {
    this.#path = path
    this.store = store
    this.#lineage = lineage
  }

  /** A row that is never deleted keeps the chain when the last of the others goes. */
  async anchor(): Promise<void> {
    await this.store.savePrediction(predictionOf(this.#lineage, { fold_id: 'anchor' }))
    this.model.rows.set('anchor/null', { score: 1, values: null })
  }

  async take(one: Step): Promise<void> {
    switch (one.kind) {
      case 'save':
        await this.store.savePrediction(inputOf(this.#lineage, one.row), arraysFor(one.row))
        return this.model.put(one.row)
      case 'buffer':
        this.store.bufferPrediction(inputOf(this.#lineage, one.row), arraysFor(one.row))
        return this.model.buffer(one.row)
      case 'flush':
        await this.store.flush()
        return this.model.flush()
      case 'reopen':
        await this.store.close()
        this.store = await WorkspaceStore.open(this.#path)
        return this.model.flush()
      default:
        return this.#remove(one.at)
    }
  }

  async #remove(at: number): Promise<void> {
    const chosen = (await this.store.queryPredictions()).filter(({ fold_id }) => fold_id !== 'anchor')[at]
    if (chosen === undefined) return
    await this.store.deletePredictions([chosen.prediction_id])
    this.model.rows.delete(`${chosen.fold_id}/${chosen.branch_id}`)
  }
}

const arraysFor = ({ values }: Row) => (values === null ? undefined : arraysOf(...values))

test('test_workspace_store_model: any sequence of save, upsert, flush, delete and reopen holds what a plain map holds', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      await using scratch = await temporaryFolder()
      const path = join(scratch.path, 'w')
      const store = await WorkspaceStore.open(path, { create: true })
      const pair = new Pair(path, store, await beginLineage(store))
      try {
        await pair.anchor()
        for (const one of steps) {
          await pair.take(one)
          expect(await stateOf(pair.store)).toEqual(pair.model.rows)
        }
      } finally {
        await pair.store.close()
      }
    }),
    { numRuns: 10 },
  )
})
