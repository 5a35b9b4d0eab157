import { join } from 'node:path'
import { expect } from 'vitest'
import { openFilesBelow } from '../../arrays/testing/tree-hash.ts'
import { buildCatalog } from '../../catalog/build-catalog.ts'
import { readInterruption } from '../../migration/read-interruption.ts'
import { recoverWorkspace } from '../../migration/recover-workspace.ts'
import { layoutOf } from '../../migration/workspace-layout.ts'
import { filesOf, forgetLock, onceForSame } from '../../testing/fault-oracle.ts'
import { type FaultScene, runFaulty, withFault } from '../../testing/fault-scene.ts'
import { expectFlushed } from '../../testing/flush-order.ts'
import { hashTree } from '../../testing/hash-tree.ts'
import { listTrash } from '../../trash/list-trash.ts'
import { checkTrashFiles, readManifest } from '../../trash/trash-manifest.ts'
import { resolveWorkspace } from '../../workspace/resolve-workspace.ts'
import { leftoversIn, mergeBeside, mergeFixture, stateOf } from './merge-faults.ts'

const child = join(import.meta.dirname, '..', '..', 'testing', 'fault-child.ts')

export interface MergeScene extends FaultScene {
  /** Of the operations, in their order. */
  readonly kinds: readonly string[]
  readonly before: Record<string, unknown>
  readonly after: Record<string, unknown>
}

/** The merge of `mergeFixture`. */
export const makeMergeScene = async (): Promise<MergeScene> => {
  const scratch = await mergeFixture()
  const path = await scratch.copy('reference')
  const files = await filesOf(path)
  const stateAt = onceForSame(stateOf)
  const before = await stateAt(path)
  const source = await hashTree(join(scratch.path, 'source'))
  // Made beforehand, so that every merge finds it.
  await buildCatalog(await resolveWorkspace(join(scratch.path, 'source')), { cacheFolder: join(scratch.path, 'cache') })
  const { operations, kinds, stops } = await withFault('count', 0, () => mergeBeside(path))
  const after = await stateAt(path)
  return {
    name: 'merge',
    total: operations,
    stops,
    kinds,
    before,
    after,
    copy: scratch.copy,
    run: (target) => mergeBeside(target),
    runInChild: (target, mode, n, milliseconds) => runFaulty(child, 'merge', target, mode, n, milliseconds),
    outcome: async (target, about) => {
      expect(await openFilesBelow(target), about).toEqual([])
      await forgetLock(target)
      await expectFlushed(target, about, () => recoverWorkspace(target))
      expect(await readInterruption(target), about).toBeNull()
      expect(await leftoversIn(target), about).toEqual([])
      expect(await hashTree(join(scratch.path, 'source')), about).toBe(source)
      const state = await stateAt(target)
      const isMerged = state.predictions !== before.predictions
      expect(state, about).toEqual(isMerged ? after : before)
      if (!isMerged) expect(withoutStore(await filesOf(target)), about).toEqual(withoutStore(files))
      await expectTrash(target, isMerged, about)
      return isMerged ? 'after' : 'before'
    },
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  }
}

const withoutStore = (files: Record<string, string>) =>
  Object.entries(files).filter(([name]) => !/^(store\.duckdb(\.wal)?|\.nirs-workspace\/)$/.test(name))

/** What gave way is in the trash, whole, exactly when it is no longer in the store. */
const expectTrash = async (path: string, isMerged: boolean, about: string): Promise<void> => {
  const { rows } = await listTrash(path)
  expect(
    rows.map(({ kind, counts }) => ({ kind, counts })),
    about,
  ).toEqual(isMerged ? [{ kind: 'merge', counts: { predictions: 1 } }] : [])
  const layout = layoutOf(path)
  for (const { operation_id } of rows) await checkTrashFiles(layout, await readManifest(layout, operation_id))
}
