import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { ArrayRecord } from '../array-record.ts'
import { ArrayStore } from '../array-store.ts'
import { bitsOf } from './made-records.ts'

/** Names that share a file, escape, or mean something to a file system, a shell, an engine or JavaScript. */
export const hostileNames = [
  'wheat',
  'a b',
  'a_b',
  'a.b',
  'a/b',
  'A',
  'a',
  'é',
  'e\u0301',
  'x',
  'x ',
  ' x',
  '%41',
  '',
  '.',
  '..',
  '../../x',
  '..\\..\\x',
  '/etc/passwd',
  'C:\\x',
  '_tombstones',
  '.lock',
  'CON',
  'nul.txt',
  '-rf',
  '$(id)',
  'a\'b"c',
  '*',
  'wh?at',
  '[ab]',
  '{a,b}',
  'dataset_name=evil',
  'n\u0000ul',
  'cr\r\nlf',
  '\u202Eevil',
  '\uFEFFmark',
  '😀'.repeat(80),
  'y'.repeat(4096),
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
]

const ids = ['p1', 'p2', 'p3', '__proto__', 'constructor', 'a b', "o'p", 'é', '\uFEFFp', 'p1 ']

/** What the store should hold: the rows by dataset and id, and the ids that are removed. */
interface Model {
  readonly rows: Map<string, Map<string, ArrayRecord>>
  readonly removed: Set<string>
}

type RecordsStep<K extends string> = { readonly kind: K; readonly records: ArrayRecord[] }
type IdsStep<K extends string> = { readonly kind: K; readonly ids: string[] }
type Step =
  | RecordsStep<'save'>
  | RecordsStep<'write'>
  | IdsStep<'delete'>
  | IdsStep<'restore'>
  | IdsStep<'copy'>
  | { readonly kind: 'compact'; readonly known: string[] }
  | { readonly kind: 'delete-dataset'; readonly name: string }
  | { readonly kind: 'reopen' }

const name = fc.constantFrom(...hostileNames)
const id = fc.constantFrom(...ids)
const double = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, -0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324))
const list = fc.option(fc.array(fc.option(double, { freq: 8 }), { maxLength: 6 }), { freq: 5 })
const text = fc.option(fc.string({ unit: 'grapheme', maxLength: 12 }), { freq: 4 })

const record = fc.record({
  prediction_id: id,
  dataset_name: name,
  model_name: text,
  fold_id: fc.constantFrom('0', 'avg', 'final', null),
  partition: fc.constantFrom('val', 'test', '__proto__'),
  metric: fc.constantFrom('rmse', 'r2', 'constructor', null),
  val_score: fc.option(double),
  y_true: list,
  y_pred: list,
  weights: list,
  sample_indices: fc.option(fc.array(fc.integer(), { maxLength: 4 })),
  extra: fc.constantFrom({}, { X: [1, null] }, { note: 'kept' }),
})

const records = fc.array(record, { minLength: 1, maxLength: 5 })
const someIds = fc.array(id, { maxLength: 4 })
const withRecords = <K extends string>(kind: K) => fc.record({ kind: fc.constant(kind), records })
const withIds = <K extends string>(kind: K) => fc.record({ kind: fc.constant(kind), ids: someIds })

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: withRecords('save' as const) },
  { weight: 1, arbitrary: withRecords('write' as const) },
  { weight: 2, arbitrary: withIds('delete' as const) },
  { weight: 1, arbitrary: withIds('restore' as const) },
  { weight: 1, arbitrary: withIds('copy' as const) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('compact' as const), known: fc.array(id, { maxLength: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete-dataset' as const), name }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
)

/** Sequences of changes to a store; `run` plays one and compares with the model after every step. */
export const sequences = fc.array(step, { minLength: 1, maxLength: 8 })

export const playSequence = async (steps: readonly Step[], expectSame: (found: unknown, expected: unknown) => void): Promise<void> => {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'nirs-array-model-')))
  try {
    let store = ArrayStore.open(root)
    const model: Model = { rows: new Map(), removed: new Set() }
    for (const [index, one] of steps.entries()) {
      if (one.kind === 'reopen') store = ArrayStore.open(root)
      else await play(store, model, one, join(root, `copied-${index}.parquet`))
      expectSame(await stateOf(store), stateOfModel(model))
    }
    expectSame((await store.integrityCheck({ deep: true })).corrupt, [])
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

const play = async (store: ArrayStore, model: Model, one: Exclude<Step, { kind: 'reopen' }>, copyPath: string): Promise<void> => {
  if (one.kind === 'save') {
    await store.saveBatch(one.records)
    saveInModel(model, one.records)
  } else if (one.kind === 'write') {
    const writer = store.openWriter()
    for (const row of one.records) await writer.add(row)
    await writer.close()
    saveInModel(model, one.records)
  } else if (one.kind === 'delete') {
    await store.deleteBatch(new Set(one.ids))
    for (const gone of one.ids) if ([...model.rows.values()].some((rows) => rows.has(gone))) model.removed.add(gone)
  } else if (one.kind === 'restore') {
    await store.restoreBatch(new Set(one.ids))
    for (const back of one.ids) model.removed.delete(back)
  } else if (one.kind === 'copy') await copyAndAppend(store, model, one.ids, copyPath)
  else if (one.kind === 'compact') await compact(store, model, one.known)
  else {
    await store.deleteDataset(one.name)
    model.rows.delete(one.name)
  }
}

const saveInModel = (model: Model, records: readonly ArrayRecord[]): void => {
  for (const row of records) {
    const rows = model.rows.get(row.dataset_name) ?? new Map<string, ArrayRecord>()
    rows.set(row.prediction_id, row)
    model.rows.set(row.dataset_name, rows)
    model.removed.delete(row.prediction_id)
  }
}

/** As a trash does: rows aside, gone, and back. */
const copyAndAppend = async (store: ArrayStore, model: Model, wanted: readonly string[], path: string): Promise<void> => {
  await store.copyRows(new Set(wanted), path)
  await store.deleteBatch(new Set(wanted))
  await store.compact()
  await store.appendFile(path)
  for (const [, rows] of model.rows) for (const gone of model.removed) if (!wanted.includes(gone)) rows.delete(gone)
  model.removed.clear()
}

const compact = async (store: ArrayStore, model: Model, known: readonly string[]): Promise<void> => {
  await store.compact(undefined, { isKnown: async (asked) => new Set(asked.filter((one) => known.includes(one))) })
  for (const gone of model.removed) if (!known.includes(gone)) for (const [, rows] of model.rows) rows.delete(gone)
  model.removed.clear()
}

const bitsOfNumber = (value: number | null | undefined) =>
  value === null || value === undefined ? null : bitsOf({ values: Float64Array.of(value), nulls: null })
const bitsOfList = (values: unknown) =>
  Array.isArray(values)
    ? bitsOf({ values: Float64Array.from(values, (one) => one ?? 0), nulls: Uint8Array.from(values, (one) => (one === null ? 1 : 0)) })
    : null

const stateOfModel = ({ rows, removed }: Model): Record<string, unknown> => {
  const state = new Map<string, unknown>()
  for (const [dataset, records] of rows) {
    for (const [one, row] of records) {
      if (removed.has(one)) continue
      state.set(JSON.stringify([dataset, one]), [
        row.model_name ?? null,
        row.metric ?? null,
        bitsOfNumber(row.val_score),
        bitsOfList(row.y_true),
        bitsOfList(row.y_pred),
        bitsOfList(row.weights),
        row.sample_indices ?? null,
        bitsOfList(row.extra?.X),
        row.extra?.note ?? null,
      ])
    }
  }
  return Object.fromEntries([...state].sort())
}

const stateOf = async (store: ArrayStore): Promise<Record<string, unknown>> => {
  const state = new Map<string, unknown>()
  for (const dataset of await store.listDatasets()) {
    for await (const records of store.loadDataset(dataset)) {
      for (const row of records) {
        const X = row.extra.X
        state.set(JSON.stringify([dataset, row.prediction_id]), [
          row.model_name,
          row.metric,
          bitsOfNumber(row.val_score),
          bitsOf(row.y_true),
          bitsOf(row.y_pred),
          bitsOf(row.weights),
          row.sample_indices === null ? null : Array.from(row.sample_indices.values),
          typeof X === 'object' ? bitsOf(X) : null,
          row.extra.note ?? null,
        ])
      }
    }
  }
  return Object.fromEntries([...state].sort())
}
