import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeStore, temporaryFolder } from '../testing/make-store.ts'
import { verifyWorkspace } from './verify-workspace.ts'

test.each([
  ['a sound workspace', 'info', []],
  ['one with findings', 'warning', ['UPDATE prediction_arrays SET y_pred = [1]']],
] as const)('a check of %s tells that others have changed it meanwhile: %s', async (_, severity, extra) => {
  await using folder = await temporaryFolder()
  const store = join(folder.path, 'store.duckdb')
  await makeStore(store, { release: '0.7.1', predictions: [{ id: 'a' }], extra })
  const found = async (onProgress: () => void) =>
    (await verifyWorkspace(folder.path, { depth: 'quick', onProgress })).findings.map((finding) => [finding.code, finding.severity])
  const before = await found(() => {})
  expect(before.some(([code]) => code === 'length_mismatch')).toBe(severity === 'warning')
  expect(before.some(([code]) => code === 'changed_meanwhile')).toBe(false)
  expect(await found(() => utimesSync(store, new Date(), new Date()))).toEqual([...before, ['changed_meanwhile', severity]])
})
