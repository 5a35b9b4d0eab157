import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ArrayStore } from '../array-store/array-store.ts'
import { makeStore, temporaryFolder } from '../testing/make-store.ts'
import { rewriteParquet } from '../testing/tamper.ts'
import { verifyWorkspace } from './verify-workspace.ts'

const rows = (dataset: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({
    prediction_id: `${dataset}-${index}`,
    dataset_name: dataset,
    fold_id: '0',
    partition: 'val',
    metric: 'rmse',
    val_score: 1,
    task_type: 'regression',
    y_true: [index, Math.sqrt(index), 1 / (index + 1)],
    y_pred: [index, 2, 3],
  }))

/** Flips one bit of a value of `y_true`: three random doubles are nowhere else in the file. */
const flip = async (path: string, at: number): Promise<void> => {
  const bytes = await readFile(path)
  bytes.writeUInt8(bytes.readUInt8(at) ^ 4, at)
  await writeFile(path, bytes)
}

const makeArrays = async (folder: string) => {
  await makeStore(join(folder, 'store.duckdb'), {
    release: '0.8.1',
    predictions: ['wheat', 'corn'].map((dataset) => ({ id: `${dataset}-0`, dataset })),
  })
  const store = ArrayStore.open(folder)
  for (const part of [0, 1, 2]) await store.saveBatch(rows('wheat', 900).slice(part * 300, part * 300 + 300))
  await store.saveBatch(rows('corn', 20))
}

test('the deep check names dataset, row group and predictions of a flipped bit', async () => {
  await using folder = await temporaryFolder()
  await makeArrays(folder.path)
  const path = join(folder.path, 'arrays', 'wheat.parquet')
  const { length } = await readFile(path)
  await flip(path, Math.floor(length * 0.45))
  const { findings, passed } = await verifyWorkspace(folder.path, { depth: 'deep' })
  expect(passed).toBe(false)
  const [damage, ...others] = findings.filter(({ row_group }) => row_group !== undefined)
  expect(others).toEqual([])
  expect(damage).toMatchObject({ severity: 'error', dataset_name: 'wheat', row_group: 1 })
  expect(new Set(damage?.ids)).toEqual(
    new Set(
      rows('wheat', 600)
        .slice(300)
        .map(({ prediction_id }) => prediction_id),
    ),
  )
})

test.each(['our own', 'nirs4all’s'])(
  'a row group that cannot be decoded is named with its dataset and predictions, in a file of %s',
  async (whose) => {
    await using folder = await temporaryFolder()
    await makeArrays(folder.path)
    const path = join(folder.path, 'arrays', 'wheat.parquet')
    if (whose !== 'our own') await rewriteParquet(path, '* REPLACE ([random(), random()] AS y_pred)')
    const { findings: before } = await verifyWorkspace(folder.path, { depth: 'deep' })
    expect(before.filter(({ code }) => code === 'no_checksums')).toHaveLength(whose === 'our own' ? 0 : 1)
    const bytes = await readFile(path)
    bytes.fill(0, Math.floor(bytes.length * 0.45), Math.floor(bytes.length * 0.45) + 64)
    await writeFile(path, bytes)
    const { findings } = await verifyWorkspace(folder.path, { depth: 'deep' })
    const damage = findings.filter(({ code }) => code === 'corrupt_array_file')
    expect(damage).toMatchObject([{ severity: 'error', dataset_name: 'wheat', row_group: whose === 'our own' ? 1 : 0 }])
    expect(damage[0]?.ids).toHaveLength(whose === 'our own' ? 300 : 900)
    const { corrupt } = await ArrayStore.open(folder.path).integrityCheck({ deep: true })
    expect(corrupt).toMatchObject([
      { datasets: ['wheat'], row_group: damage[0]?.row_group, prediction_ids: expect.arrayContaining(damage[0]?.ids ?? ['none']) },
    ])
  },
)

test('a journal that cannot be read is an error of the check', async () => {
  await using folder = await temporaryFolder()
  await makeArrays(folder.path)
  await mkdir(join(folder.path, '.nirs-workspace'))
  await writeFile(join(folder.path, '.nirs-workspace', 'journal.json'), '')
  const { findings, passed } = await verifyWorkspace(folder.path, { depth: 'quick' })
  expect(passed).toBe(false)
  expect(findings).toContainEqual(
    expect.objectContaining({ code: 'interrupted_job', severity: 'error', detail: 'The journal of an unfinished job cannot be read.' }),
  )
})

test('a check that was stopped goes on from the row group it had come to; a changed file is checked anew', async () => {
  await using folder = await temporaryFolder()
  await using cache = await temporaryFolder()
  await makeArrays(folder.path)
  const path = join(folder.path, 'arrays', 'wheat.parquet')
  await flip(path, Math.floor((await readFile(path)).length * 0.1))
  const scrubState = join(cache.path, 'scrub', 'state.json')
  const stop = new AbortController()
  const onProgress = ({ message }: { message: string }) => {
    if (message.includes('wheat')) stop.abort()
  }
  await expect(verifyWorkspace(folder.path, { depth: 'deep', scrubState, signal: stop.signal, onProgress })).rejects.toMatchObject({
    code: 'cancelled',
  })
  expect(JSON.parse(await readFile(scrubState, 'utf8'))).toMatchObject({ files: { 'arrays/corn.parquet': { groups_done: 1 } } })
  const saved = await readFile(scrubState, 'utf8')
  const again = await verifyWorkspace(folder.path, { depth: 'deep', scrubState })
  expect(again.findings.filter(({ row_group }) => row_group !== undefined)).toMatchObject([{ dataset_name: 'wheat', row_group: 0 }])
  await expect(readFile(scrubState)).rejects.toMatchObject({ code: 'ENOENT' })
  await writeFile(scrubState, saved)
  await flip(join(folder.path, 'arrays', 'corn.parquet'), 300)
  expect(
    (await verifyWorkspace(folder.path, { depth: 'deep', scrubState })).findings.filter(({ dataset_name }) => dataset_name === 'corn'),
  ).toHaveLength(1)
  await writeFile(scrubState, '{"torn')
  expect((await verifyWorkspace(folder.path, { depth: 'deep', scrubState })).passed).toBe(false)
})
