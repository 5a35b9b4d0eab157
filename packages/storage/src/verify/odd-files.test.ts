import { execFile } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { ArrayStore } from '../array-store/array-store.ts'
import { makeParquet, makeStore, temporaryFolder } from '../testing/make-store.ts'
import { verifyWorkspace } from './verify-workspace.ts'

test.runIf(process.platform !== 'win32').each(['quick', 'deep'] as const)(
  'pipes, folders and links called like array files are findings of the %s check and never opened',
  async (depth) => {
    await using folder = await temporaryFolder()
    await makeStore(join(folder.path, 'store.duckdb'), { release: '0.8.1', predictions: [{ id: 'a', dataset: 'corn' }] })
    const arrays = join(folder.path, 'arrays')
    await mkdir(join(arrays, 'folder.parquet'), { recursive: true })
    await promisify(execFile)('mkfifo', [join(arrays, 'pipe.parquet')])
    await writeFile(join(folder.path, 'elsewhere'), 'PAR1')
    await symlink(join(folder.path, 'elsewhere'), join(arrays, 'link.parquet'))
    const { findings, passed } = await verifyWorkspace(folder.path, { depth })
    expect(passed).toBe(false)
    const broken = findings.filter(({ code }) => code === 'corrupt_array_file')
    expect(broken.map(({ severity, detail }) => [severity, detail])).toEqual(
      ['folder', 'link', 'pipe'].map((name) => ['error', expect.stringMatching(`${name}\\.parquet.*no regular file`)]),
    )
  },
)

test('the deep check names rows of a half-migrated workspace that are stale', async () => {
  await using folder = await temporaryFolder()
  const predictions = [{ id: 'a' }, { id: 'b', fold: '1' }]
  await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions })
  await mkdir(join(folder.path, 'arrays'))
  await makeParquet(join(folder.path, 'arrays', 'wheat.parquet'), [{ id: 'a', y: [1, 2, 4] }, predictions[1] ?? { id: 'b' }])
  const { findings } = await verifyWorkspace(folder.path, { depth: 'deep' })
  expect(findings.filter(({ code }) => code === 'stale_parquet_rows')).toMatchObject([{ severity: 'warning', ids: ['a'] }])
})

test('a prediction whose only row was removed has no arrays', async () => {
  await using folder = await temporaryFolder()
  const predictions = [{ id: 'a' }, { id: 'b', fold: '1' }]
  await makeStore(join(folder.path, 'store.duckdb'), { release: '0.8.1', predictions })
  await mkdir(join(folder.path, 'arrays'))
  await makeParquet(join(folder.path, 'arrays', 'wheat.parquet'), predictions)
  await ArrayStore.open(folder.path).deleteBatch(new Set(['b']))
  const { findings } = await verifyWorkspace(folder.path, { depth: 'deep' })
  expect(findings.filter(({ code }) => code === 'predictions_without_arrays')).toMatchObject([{ count: 1, ids: ['b'] }])
})

test('class probabilities of a negative shape are named', async () => {
  await using folder = await temporaryFolder()
  const predictions = [
    { id: 'a', y: [1] },
    { id: 'b', fold: '1', y: [1] },
  ]
  await makeStore(join(folder.path, 'store.duckdb'), { release: '0.8.1', predictions })
  await mkdir(join(folder.path, 'arrays'))
  const shapes = [
    [1, 2],
    [-1, -2],
  ]
  await makeParquet(
    join(folder.path, 'arrays', 'wheat.parquet'),
    predictions.map((one, index) => ({ ...one, shape: shapes[index] ?? [] })),
  )
  const { findings } = await verifyWorkspace(folder.path, { depth: 'deep' })
  expect(findings.filter(({ code }) => code === 'proba_shape')).toMatchObject([{ severity: 'warning', count: 1, ids: ['b'] }])
})
