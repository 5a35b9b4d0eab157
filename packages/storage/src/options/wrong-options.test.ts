import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as storage from '../index.ts'
import { beginLineage, type Lineage, predictionOf } from '../store/testing/store-fixture.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { makeParquet, makeStore, temporaryFolder } from '../testing/make-store.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let predictions: storage.Predictions
let store: storage.WorkspaceStore
let catalog: storage.Catalog
let lineage: Lineage
let place = ''
let own = ''

beforeAll(async () => {
  folder = await temporaryFolder()
  const cacheFolder = join(folder.path, 'cache')
  ;[place, own] = [join(folder.path, 'read'), join(folder.path, 'written')]
  await mkdir(join(place, 'arrays'), { recursive: true })
  const rows = [{ id: 'a', score: 0.4, y: [1, 2, 3] }]
  await makeStore(join(place, 'store.duckdb'), { release: '0.8.1', predictions: rows })
  await makeParquet(join(place, 'arrays', 'wheat.parquet'), rows)
  predictions = await storage.Predictions.open(place, { cacheFolder })
  const resolved = await storage.resolveWorkspace(place)
  const { fresh } = await storage.findCatalog(resolved, { cacheFolder })
  catalog = await storage.openCatalog(fresh ?? (await storage.buildCatalog(resolved, { cacheFolder })))
  store = await storage.WorkspaceStore.open(own, { create: true })
  lineage = await beginLineage(store)
})

afterAll(async () => {
  await predictions.close()
  catalog.close()
  await store.close()
  await folder[Symbol.asyncDispose]()
})

/** Calls with arguments that the types would refuse: programs in JavaScript have no types. */
const call = async (target: object, name: string, ...given: unknown[]): Promise<unknown> => {
  const answer: unknown = await Reflect.apply(Reflect.get(target, name), target, given)
  return answer
}

const pipeline = () => ({ run_id: lineage.run, name: 'p', dataset_name: 'wheat' })
const chain = () => ({ pipeline_id: lineage.pipeline, steps: [{ step_idx: 1 }], model_step_idx: 1, model_class: 'PLS' })
const context = () => ({ resolved: { root: place, name: 'x', duckdb: null, bak: null, arrays: null }, catalog })
const arrays = () => storage.ArrayStore.open(place)
const library = () => new storage.PipelineLibrary(place)
const target = () => join(folder.path, 'out.file')

/** What is called, with what, and what the sentence names. */
const wrong: [string, () => Promise<unknown>][] = [
  ['onConflict', () => call(storage, 'planMerge', own, [place], { onConflict: 'zap' })],
  ['onConflict', () => call(storage, 'mergeStores', own, [place], { jobId: 'j', onConflict: 'zap' })],
  ['"onConflit"', () => call(storage, 'mergeStores', own, [place], { jobId: 'j', onConflit: 'skip' })],
  ['jobId', () => call(storage, 'mergeStores', own, [place], {})],
  ['conflictLimit', () => call(storage, 'planMerge', own, [place], { conflictLimit: 1n })],
  ['sources', () => call(storage, 'planMerge', own, place)],
  ['n: ', () => call(predictions, 'top', { n: 0 })],
  ['n: ', () => call(predictions, 'top', { n: 1.5 })],
  ['"datset_name"', () => call(predictions, 'top', { datset_name: 'wheat' })],
  ['direction', () => call(predictions, 'getBest', { direction: 'up' })],
  ['"nope"', async () => call(predictions, 'filter', { nope: 1 })],
  ['"nope"', async () => call(predictions, 'filter', { equals: { nope: ['x'] } })],
  ['"mni"', async () => call(predictions, 'filter', { ranges: { val_score: { mni: 1 } } })],
  ['prediction_id', () => call(predictions, 'get', 1n)],
  ['limit', () => call(predictions, 'toRows', { limit: -1 })],
  ['sort[0].column', () => call(predictions, 'toRows', { sort: [{ column: 'nope', direction: 'asc' }] })],
  ['offset', () => call(predictions, 'toArrow', { offset: 'x' })],
  ['ids', () => call(predictions, 'loadArrays', 'a')],
  ['columns[0]', () => call(predictions, 'loadArrays', ['a'], { columns: ['nope'] })],
  ['deadline', () => call(predictions, 'query', 'SELECT 1', { deadline: 'x' })],
  ['deadline', () => call(predictions, 'query', 'SELECT 1', { deadline: 2 ** 31 })],
  ['sql', () => call(predictions, 'query', 1)],
  ['"datasetname"', () => call(storage.Predictions, 'open', place, { datasetname: 'wheat' })],
  ['limit', () => call(storage, 'listPredictions', catalog, { filter: { equals: {}, ranges: {}, q: '' }, sort: [], limit: -1, offset: 0 })],
  ['columns[0]', () => call(storage, 'countFacets', catalog, { equals: {}, ranges: {}, q: '' }, { columns: ['nope'] })],
  ['the column', () => call(storage, 'makeHistogram', catalog, { equals: {}, ranges: {}, q: '' }, 'nope')],
  ['mode', () => call(storage.WorkspaceStore, 'open', own, { mode: 'append' })],
  ['name', () => call(store, 'beginRun', {})],
  ['"nmae"', () => call(store, 'beginRun', { name: 'r', nmae: 'r' })],
  ['config', () => call(store, 'beginRun', { name: 'r', config: { seed: 1n } })],
  ['status', () => call(store, 'beginPipeline', { ...pipeline(), status: 'done' })],
  ['expanded_config', () => call(store, 'beginPipeline', { ...pipeline(), expanded_config: [1n] })],
  ['the event', () => call(store, 'changePipeline', lineage.pipeline, 'explode')],
  ['the event', () => call(store, 'changeRun', lineage.run, 'constructor')],
  ['run_id', () => call(store, 'changeRun', 1n, 'pause')],
  ['summary', () => call(store, 'completeRun', lineage.run, { n: 1n })],
  ['duration_ms', () => call(store, 'completePipeline', lineage.pipeline, { duration_ms: 1e12 })],
  ['steps', () => call(store, 'saveChain', { ...chain(), steps: 'SNV' })],
  ['model_step_idx', () => call(store, 'saveChain', { ...chain(), model_step_idx: 1n })],
  ['details', () => call(store, 'logStep', { pipeline_id: lineage.pipeline, step_idx: 1, event: 'x', details: { a: 1n } })],
  ['step_idx', () => call(store, 'logStep', { pipeline_id: lineage.pipeline, step_idx: 1e10, event: 'x' })],
  ['scores', () => call(store, 'savePrediction', { ...predictionOf(lineage), scores: { val: 1n } })],
  ['partition', () => call(store, 'savePrediction', { ...predictionOf(lineage), partition: 'nope' })],
  ['n_features', () => call(store, 'savePrediction', { ...predictionOf(lineage), n_features: 2 ** 31 })],
  ['branch_id', async () => call(store, 'bufferPrediction', { ...predictionOf(lineage), branch_id: 2 ** 40 })],
  ['fold_id', () => call(store, 'savePrediction', { ...predictionOf(lineage), fold_id: '\ud800' })],
  ['name', () => call(store, 'beginRun', { name: 'half \udc00' })],
  ['content', () => call(store, 'saveArtifact', { content: 'text' })],
  ['name', () => call(store, 'createProject', { name: 3 })],
  ['project_id', () => call(store, 'deleteProject', 3)],
  ['limit', () => call(store, 'queryPredictions', {}, { limit: -1 })],
  ['"page"', () => call(store, 'listRuns', {}, { page: 2 })],
  ['"nope"', () => call(store, 'listRuns', { nope: 1 })],
  ['group_by', () => call(store, 'topPredictions', { group_by: 'nope' })],
  ['run_id', () => call(store, 'getRun', 1n)],
  ['the request', () => call(store, 'plan', null)],
  ['"foo"', () => call(arrays().openWriter(), 'add', { prediction_id: 'x', dataset_name: 'wheat', foo: 1 })],
  ['the records', () => call(arrays(), 'saveBatch', 'x')],
  ['ids', () => call(arrays(), 'deleteBatch', ['a'])],
  ['ids', () => call(arrays(), 'loadBatch', 'a')],
  ['deep', () => call(arrays(), 'integrityCheck', { deep: 'yes' })],
  ['"lokc"', async () => call(storage.ArrayStore, 'open', place, { lokc: 1 })],
  ['batchSize', () => call(storage, 'runMigration', place, { jobId: 'j', batchSize: 0 })],
  ['batchSize', () => call(storage, 'runMigration', place, { jobId: 'j', batchSize: 100_001 })],
  ['jobId', () => call(storage, 'rollbackMigration', place, { jobId: '../x' })],
  ['depth', () => call(storage, 'verifyWorkspace', place, { depth: 'full' })],
  ['options', () => call(storage, 'rescueArrays', place)],
  ['"lcok"', () => call(storage, 'vacuumWorkspace', own, { lcok: 1 })],
  ['"onProgress"', () => call(storage, 'vacuumWorkspace', own, { onProgress: () => undefined })],
  ['ids', () => call(storage, 'restoreTrash', own, 'op', { jobId: 'j', ids: 'a' })],
  ['ids', () => call(storage, 'checkRestore', own, 'op', 'a')],
  ['jobId', () => call(storage, 'emptyTrash', own, {})],
  ['the plan', () => call(storage, 'applyPlan', own, null, { jobId: 'j' })],
  ['roots', () => call(storage, 'resolveDatasets', [], {})],
  ['"size"', () => call(storage, 'resolveDatasets', [{ name: 'wheat', size: 12 }], { roots: [] })],
  [
    'format',
    () =>
      call(storage, 'exportDataset', context(), {
        dataset_name: 'wheat',
        format: 'xlsx',
        layout: 'sample',
        csv_dialect: 'plain',
        target: target(),
      }),
  ],
  ['"nope"', () => call(storage, 'exportPredictionsParquet', context(), { filters: { nope: 1 }, target: target() })],
  ['chain_id', () => call(storage, 'exportChain', context(), { target: target() })],
  ['the form', () => call(storage, 'exportPipelineConfig', context(), 'p', 'short')],
  ['layout', async () => call(storage, 'exportZip', context(), { layout: 'nope' }, { scratchFolder: folder.path })],
  ['the template', () => call(library(), 'load', {})],
  ['"overwriet"', () => call(library(), 'save', { name: 'x', pipeline: [], overwriet: true })],
  ['"tag"', () => call(library(), 'list', { tag: 'x' })],
  ['"force"', () => call(library(), 'import', target(), { force: true })],
  ['trash_id', () => call(library(), 'restore', 3)],
  ['the status', async () => call(storage, 'transition', { kind: 'run', id: 'r' }, 'nope', 'start')],
]

test.each(wrong.map(([named, work], index) => ({ named, work, index })))(
  '$index: `validation`, and the sentence names $named',
  async ({ named, work }) => {
    const before = [await hashTree(place), await store.listRuns()]
    await expect(work()).rejects.toMatchObject({ name: 'StorageError', code: 'validation', message: expect.stringContaining(named) })
    expect([await hashTree(place), await store.listRuns()]).toEqual(before)
  },
)

test('arrays with a name that no column has are not saved without it', async () => {
  const record = { prediction_id: 'x', dataset_name: 'wheat', foo: 1 }
  await expect(arrays().saveBatch([record])).rejects.toMatchObject({ code: 'validation', message: expect.stringContaining('"foo"') })
  expect(await arrays().loadSingle('x')).toBeNull()
})

test('a closed writer says so', async () => {
  const writer = storage.ArrayStore.open(place).openWriter()
  await writer.close()
  await expect(writer.close()).rejects.toMatchObject({ code: 'validation' })
})

test('a program may ask for more than a page of the best', async () => {
  expect(await predictions.top({ n: 100_000 })).toHaveLength(1)
})

test('what SQL writes beyond the numbers and days of a calendar is told as it is', async () => {
  await expect(predictions.query('SELECT 1e400::DOUBLE')).rejects.toMatchObject({
    code: 'sql_error',
    message: expect.stringContaining('double'),
  })
  const { rows } = await predictions.query("SELECT 'infinity'::DATE, ['-infinity'::DATE], '2024-02-29'::DATE, 'infinity'::DOUBLE")
  expect(rows).toEqual([['infinity', ['-infinity'], '2024-02-29', 'Infinity']])
})
