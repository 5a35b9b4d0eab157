import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { ArrayRecord } from '../array-record.ts'
import { ArrayStore } from '../array-store.ts'
import { type Model, saveInModel, stateOf, stateOfModel } from './model-state.ts'
import { corruptAndMend, crashAndRepeat, mergeOther, rewriteByAnother } from './model-troubles.ts'

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

type RecordsStep<K extends string> = { readonly kind: K; readonly records: ArrayRecord[] }
type IdsStep<K extends string> = { readonly kind: K; readonly ids: string[] }

/** What can be done a second time without harm. */
type Change =
  | RecordsStep<'save'>
  | IdsStep<'delete'>
  | IdsStep<'restore'>
  | { readonly kind: 'compact'; readonly known: string[] }
  | { readonly kind: 'delete-dataset'; readonly name: string }

type Step =
  | Change
  | RecordsStep<'write'>
  | RecordsStep<'merge'>
  | IdsStep<'copy'>
  | { readonly kind: 'reopen' }
  | { readonly kind: 'crash'; readonly at: number; readonly change: Change }
  | { readonly kind: 'corrupt'; readonly which: number; readonly place: number; readonly bit: number }
  | { readonly kind: 'foreign-write'; readonly which: number }

const id = fc.constantFrom(...ids)
const double = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, -0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324))
const list = fc.option(fc.array(fc.option(double, { freq: 8 }), { maxLength: 6 }), { freq: 5 })
const text = fc.option(fc.string({ unit: 'grapheme', maxLength: 12 }), { freq: 4 })

const recordOf = (dataset_name: fc.Arbitrary<string>) =>
  fc.record({
    prediction_id: id,
    dataset_name,
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

const someIds = fc.array(id, { maxLength: 4 })
const which = fc.nat(4)

const kindOf = <K extends string>(kind: K) => fc.constant(kind)
const withIds = <K extends string>(kind: K) => fc.record({ kind: kindOf(kind), ids: someIds })
const compact = fc.record({ kind: kindOf('compact'), known: fc.array(id, { maxLength: 3 }) })
const flip = { place: fc.double({ min: 0, max: 0.999, noNaN: true }), bit: fc.nat(7) }

const stepsWith = (names: readonly string[]): fc.Arbitrary<Step[]> => {
  const name = fc.constantFrom(...names)
  const records = fc.array(recordOf(name), { minLength: 1, maxLength: 5 })
  const withRecords = <K extends string>(kind: K) => fc.record({ kind: kindOf(kind), records })
  const change: fc.Arbitrary<Change> = fc.oneof(
    { weight: 4, arbitrary: withRecords('save') },
    { weight: 2, arbitrary: withIds('delete') },
    { weight: 1, arbitrary: withIds('restore') },
    { weight: 2, arbitrary: compact },
    { weight: 1, arbitrary: fc.record({ kind: kindOf('delete-dataset'), name }) },
  )
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 10, arbitrary: change },
    { weight: 1, arbitrary: withRecords('write') },
    { weight: 1, arbitrary: withRecords('merge') },
    { weight: 1, arbitrary: withIds('copy') },
    { weight: 1, arbitrary: fc.record({ kind: kindOf('reopen') }) },
    { weight: 2, arbitrary: fc.record({ kind: kindOf('crash'), at: fc.integer({ min: 1, max: 30 }), change }) },
    { weight: 1, arbitrary: fc.record({ kind: kindOf('corrupt'), which, ...flip }) },
    { weight: 1, arbitrary: fc.record({ kind: kindOf('foreign-write'), which }) },
  )
  return fc.array(step, { minLength: 1, maxLength: 8 })
}

/** Sequences of changes to a store, and of what else may happen to it. Few names in each, so that changes meet the same rows. */
export const sequences = fc.shuffledSubarray([...hostileNames], { minLength: 1, maxLength: 4 }).chain(stepsWith)

/** Plays a sequence and compares the store with the model after every step. */
export const playSequence = async (steps: readonly Step[], expectSame: (found: unknown, expected: unknown) => void): Promise<void> => {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'nirs-array-model-')))
  try {
    let store = ArrayStore.open(root)
    const model: Model = { rows: new Map(), removed: new Set() }
    for (const [index, one] of steps.entries()) {
      // Who has died holds nothing in memory any more.
      if (one.kind === 'reopen' || one.kind === 'crash') store = ArrayStore.open(root)
      await play(store, model, one, join(root, `copied-${index}.parquet`))
      expectSame(await stateOf(store), stateOfModel(model))
    }
    expectSame((await store.integrityCheck({ deep: true })).corrupt, [])
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

const play = async (store: ArrayStore, model: Model, one: Step, copyPath: string): Promise<void> => {
  if (one.kind === 'write') {
    const writer = store.openWriter()
    for (const row of one.records) await writer.add(row)
    await writer.close()
    saveInModel(model, one.records)
  } else if (one.kind === 'merge') {
    await mergeOther(store, one.records)
    saveInModel(model, one.records)
  } else if (one.kind === 'copy') await copyAndAppend(store, model, one.ids, copyPath)
  else if (one.kind === 'corrupt') await corruptAndMend(store.root, one.which, one.place, one.bit)
  else if (one.kind === 'foreign-write') await rewriteByAnother(store.root, one.which)
  else if (one.kind === 'crash') {
    changeModel(model, one.change)
    await crashAndRepeat(store.root, one.at, (opened) => changeStore(opened, one.change), stateOfModel(model))
  } else if (one.kind !== 'reopen') {
    await changeStore(store, one)
    changeModel(model, one)
  }
}

const changeStore = (store: ArrayStore, one: Change): Promise<unknown> => {
  if (one.kind === 'save') return store.saveBatch(one.records)
  if (one.kind === 'delete') return store.deleteBatch(new Set(one.ids))
  if (one.kind === 'restore') return store.restoreBatch(new Set(one.ids))
  if (one.kind === 'delete-dataset') return store.deleteDataset(one.name)
  return store.compact(undefined, { isKnown: async (asked) => new Set(asked.filter((id) => one.known.includes(id))) })
}

const changeModel = (model: Model, one: Change): void => {
  if (one.kind === 'save') saveInModel(model, one.records)
  else if (one.kind === 'delete') {
    for (const gone of one.ids) if ([...model.rows.values()].some((rows) => rows.has(gone))) model.removed.add(gone)
  } else if (one.kind === 'restore') for (const back of one.ids) model.removed.delete(back)
  else if (one.kind === 'delete-dataset') model.rows.delete(one.name)
  else forgetRemoved(model, one.known)
}

/** As a trash does: rows aside, gone, and back. */
const copyAndAppend = async (store: ArrayStore, model: Model, wanted: readonly string[], path: string): Promise<void> => {
  await store.copyRows(new Set(wanted), path)
  await store.deleteBatch(new Set(wanted))
  await store.compact()
  await store.appendFile(path)
  forgetRemoved(model, wanted)
}

/** Rows that are marked as removed go for good, unless metadata knows them; nothing is marked any more. */
const forgetRemoved = (model: Model, known: readonly string[]): void => {
  for (const gone of model.removed) if (!known.includes(gone)) for (const rows of model.rows.values()) rows.delete(gone)
  model.removed.clear()
}
