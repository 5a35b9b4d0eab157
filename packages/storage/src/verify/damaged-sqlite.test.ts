import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeWorkspace, storeKinds } from '../maintenance/testing/maintenance-fixture.ts'
import { convertStore } from '../sqlite/testing/convert-store.ts'
import { damagePage } from '../sqlite/testing/damage-page.ts'
import { makeStore, temporaryFolder } from '../testing/make-store.ts'
import { verifyWorkspace } from './verify-workspace.ts'

test.each([
  ['predictions', ['quick', 'deep']],
  ['artifacts', ['quick', 'deep']],
  // No question reads it.
  ['idx_of_logs', ['deep']],
] as const)('damage to %s of a store.sqlite is a finding of a check that is %s', async (name, found) => {
  await using folder = await temporaryFolder()
  await makeStore(join(folder.path, 'store.duckdb'), { release: '0.8.1', predictions: [{ id: 'p1' }] })
  await convertStore(folder.path, ['CREATE INDEX idx_of_logs ON logs(pipeline_id)'])
  const codes = async (depth: 'quick' | 'deep') =>
    (await verifyWorkspace(folder.path, { depth })).findings.filter(({ severity }) => severity === 'error').map(({ code }) => code)
  expect(await codes('deep')).not.toContain('store_unreadable')
  await damagePage(join(folder.path, 'store.sqlite'), name)
  for (const depth of ['quick', 'deep'] as const)
    expect([depth, (await codes(depth)).includes('store_unreadable')]).toEqual([depth, (found as readonly string[]).includes(depth)])
})

test.each(storeKinds)('whose the arrays are is not judged by a store.%s that cannot tell what it has', async (kind) => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind, predictions: [{ id: 'p1' }] })
  const store = join(folder.path, `store.${kind}`)
  if (kind === 'sqlite') await damagePage(store, 'predictions')
  else await writeFile(store, (await readFile(store)).fill(0xee, 4096, 3 * 4096))
  const { findings, rows_checked } = await verifyWorkspace(folder.path, { depth: 'quick' })
  expect(rows_checked).toBe(1)
  expect(findings.map(({ code }) => code)).toEqual(['store_unreadable'])
})
