import { join } from 'node:path'
import { expect, test } from 'vitest'
import { buildCatalog } from '../catalog/build-catalog.ts'
import { openCatalog } from '../catalog/open-catalog.ts'
import { makeStore, temporaryFolder } from '../testing/make-store.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { recordedDatasets } from './recorded-datasets.ts'

const run = (id: string, day: number, datasets: unknown) =>
  `INSERT INTO runs (run_id, name, datasets, created_at) VALUES ('${id}', '${id}', '${JSON.stringify(datasets)}', TIMESTAMP '2026-01-0${day} 00:00:00')`

test('what runs recorded about files: the later record counts, names alone and fields of a wrong type are no record', async () => {
  await using folder = await temporaryFolder()
  const hash = 'a'.repeat(64)
  await makeStore(join(folder.path, 'store.duckdb'), {
    release: '0.8.1',
    predictions: [{ id: 'p1', dataset: 'only predicted', y: [1] }],
    extra: [
      run('r1', 1, [{ name: 'wheat', path: 'old/wheat.csv', file_size: 3 }, 'plain']),
      run('r2', 2, [
        { name: 'wheat', path: '/data/wheat.csv', hash, more: 1 },
        { name: 'odd', file_size: 'large', path: 7 },
      ]),
      run('r3', 3, [{ name: 'wheat' }, { path: 'nameless.csv' }]),
      run('r4', 4, { name: 'no list' }),
    ],
  })
  const resolved = await resolveWorkspace(folder.path)
  const catalog = await openCatalog(await buildCatalog(resolved, { cacheFolder: join(folder.path, 'cache') }))
  try {
    const nothing = { path: null, hash: null, file_size: null, quick_hash: null }
    expect(await recordedDatasets(catalog)).toEqual([
      { name: 'odd', ...nothing },
      { name: 'only predicted', ...nothing },
      { name: 'plain', ...nothing },
      { name: 'wheat', ...nothing, path: '/data/wheat.csv', hash },
    ])
  } finally {
    catalog.close()
  }
})
