import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ArrayStore } from '../array-store/array-store.ts'
import { makeStore, temporaryFolder } from '../testing/make-store.ts'
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
