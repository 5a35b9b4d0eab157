import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RecordContext } from './array-record.ts'
import { ArrayStore } from './array-store.ts'
import { readSummaries } from './read-summaries.ts'
import { madeRecord, temporaryStore } from './testing/made-records.ts'

type Known = Map<string, RecordContext>

const counted = (values: readonly (string | null | undefined)[]) =>
  Object.fromEntries(
    [...Map.groupBy(values, (value) => value ?? '')].filter(([value]) => value !== '').map(([value, all]) => [value, all.length]),
  )

/** What the footer is to say of these rows. */
const expected = (rows: Known) => {
  const all = [...rows.values()]
  const times = all.flatMap(({ created_at }) => created_at ?? []).sort()
  return {
    rows: rows.size,
    facets: { branch_name: counted(all.map((one) => one.branch_name)), refit_context: counted(all.map((one) => one.refit_context)) },
    created_at: { first: times[0] ?? null, last: times.at(-1) ?? null },
  }
}

const summaryIn = async (root: string) => {
  const [file] = await readSummaries(root)
  const summary = file?.summary ?? expect.fail('no summary')
  const { rows, facets, created_at, context_exact } = summary
  return { context_exact, found: { rows, facets: { branch_name: facets.branch_name, refit_context: facets.refit_context }, created_at } }
}

const context = fc.record({
  branch_name: fc.constantFrom('snv', 'msc', null),
  refit_context: fc.constantFrom('standalone', null),
  created_at: fc.constantFrom('2025-01-01 08:00:00', '2025-02-01 08:00:00', '2025-03-01 08:00:00.5', null),
})
const id = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const ids = fc.uniqueArray(id, { minLength: 1 })
const operation = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('save' as const), rows: fc.dictionary(id, context, { minKeys: 1 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), ids }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('compact' as const), ids }) },
)
type Operation = typeof operation extends fc.Arbitrary<infer O> ? O : never

/** As a program that keeps metadata does it: arrays first when they come, metadata first when they go. */
const run = async (store: ArrayStore, known: Known, made: Operation, step: number): Promise<void> => {
  if (made.kind === 'save') {
    const rows = Object.entries(made.rows)
    // Other scores each time: a row that is saved again as it is counts as it was written.
    await store.saveBatch(rows.map(([one, about], index) => madeRecord(one, { about, val_score: step * 10 + index })))
    for (const [one, about] of rows) known.set(one, about)
    return
  }
  if (made.kind === 'drop') await store.dropArrays(new Set(made.ids))
  for (const one of made.ids) known.delete(one)
  if (made.kind === 'compact') {
    await store.deleteBatch(new Set(made.ids))
    await store.compact()
  }
}

const stays: RecordContext = { branch_name: 'raw', refit_context: null, created_at: '2025-02-01 08:00:00' }

test.each([true, false])(
  'branches, refits and dates of a footer are those of its rows whenever it says so; metadata to ask: %s',
  (isAsked) =>
    fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 6 }), async (operations) => {
        await using workspace = await temporaryStore()
        const known: Known = new Map([['stays', stays]])
        const contextsOf = async (asked: readonly string[]) => new Map([...known].filter(([one]) => asked.includes(one)))
        const store = ArrayStore.open(workspace.root, isAsked ? { contextsOf } : {})
        await store.saveBatch([madeRecord('stays', { about: stays })])
        for (const [step, made] of operations.entries()) {
          await run(store, known, made, step)
          const { context_exact, found } = await summaryIn(workspace.root)
          expect(found.rows).toBe(known.size)
          if (isAsked) expect(context_exact).toBe(true)
          if (context_exact) expect(found).toEqual(expected(known))
        }
      }),
      { numRuns: 40 },
    ),
)

test('rows that go in silence leave a footer that says so, until somebody is asked', async () => {
  await using workspace = await temporaryStore()
  const about = { branch_name: 'snv', refit_context: null, created_at: '2025-02-01 08:00:00' }
  const later = { ...about, branch_name: 'msc', created_at: '2025-03-01 08:00:00' }
  await workspace.store.saveBatch([madeRecord('a', { about }), madeRecord('b', { about: later })])
  expect(await summaryIn(workspace.root)).toMatchObject({ context_exact: true })
  await workspace.store.deleteBatch(new Set(['a']))
  await workspace.store.compact()
  expect(await summaryIn(workspace.root)).toMatchObject({ context_exact: false, found: { facets: { branch_name: { snv: 1, msc: 1 } } } })
  const asked: string[][] = []
  const store = ArrayStore.open(workspace.root, {
    contextsOf: async (ids) => {
      asked.push([...ids])
      return new Map([['b', later]])
    },
  })
  await store.saveBatch([madeRecord('c', { about: later })])
  expect(await summaryIn(workspace.root)).toEqual({
    context_exact: true,
    found: expected(
      new Map([
        ['b', later],
        ['c', later],
      ]),
    ),
  })
  // Once it is exact nobody needs to be asked about rows that come.
  expect(asked).toEqual([['b']])
  await store.saveBatch([madeRecord('d', { about: later })])
  expect(asked).toEqual([['b']])
})
