import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { flipBit } from '../array-store/testing/flip-bits.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { copyWorkspace, hasSharedWorkspaces } from '../testing/shared-workspaces.ts'
import { inspectWorkspace } from './inspect-workspace.ts'

test.skipIf(!hasSharedWorkspaces)('a damaged log is named as such: the store beside it is not what has to be restored', async () => {
  await using copy = await copyWorkspace('crashed-wal')
  await using cache = await temporaryFolder()
  const log = join(copy.path, 'store.duckdb.wal')
  await flipBit(log, Math.floor((await stat(log)).size / 2), 3)
  const before = await hashTree(copy.path)
  await expect(inspectWorkspace(copy.path, { cacheFolder: cache.path })).rejects.toMatchObject({
    code: 'store_unreadable',
    message: expect.stringMatching(/^The log beside the store is damaged/),
    fields: { hint: expect.stringContaining('store.duckdb.wal') },
  })
  expect(await hashTree(copy.path)).toBe(before)
})
