import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MaintenanceInput } from '@nirs-workspace/types'
import { expect } from 'vitest'
import { applyPlan } from '../../maintenance/apply-plan.ts'
import { makePlan } from '../../maintenance/make-plan.ts'
import { makeWorkspace, type Snapshot, type StoreKind, saveArrays, snapshot } from '../../maintenance/testing/maintenance-fixture.ts'
import { readInterruption } from '../../migration/read-interruption.ts'
import { recoverWorkspace } from '../../migration/recover-workspace.ts'
import { forgetLock, onceForSame } from '../../testing/fault-oracle.ts'
import { type FaultScene, measureScene } from '../../testing/fault-scene.ts'
import { expectFlushed } from '../../testing/flush-order.ts'
import { listTrash } from '../list-trash.ts'
import { restoreTrash } from '../restore-trash.ts'

interface RowlessRestore {
  readonly removal: MaintenanceInput
  readonly ids?: readonly string[]
}

const orphans: MaintenanceInput = { kind: 'clean_dead_links', grace_hours: 0 }

/** Restores that bring back no row of the store, which could tell that they are done. */
const restores = {
  'unregistered models': { removal: { kind: 'artifact_gc', grace_hours: 0, include_unregistered: true } },
  'orphan arrays': { removal: orphans },
  'some orphan arrays': { removal: orphans, ids: ['orphan-0'] },
} satisfies Record<string, RowlessRestore>

export type RowlessName = keyof typeof restores
export const rowlessNames = Object.keys(restores).filter((name): name is RowlessName => Object.hasOwn(restores, name))

/** One such restore; it has no process of its own. */
export const makeRowlessScene = async (kind: StoreKind, name: RowlessName): Promise<FaultScene> => {
  const { removal, ids }: RowlessRestore = restores[name]
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'nirs-workspace-rowless-')))
  const original = join(folder, 'original')
  await mkdir(original)
  await makeWorkspace(original, { kind, predictions: [{ id: 'a' }] })
  await saveArrays(original, [{ id: 'orphan-0' }, { id: 'orphan-1', fold: '1' }])
  await mkdir(join(original, 'artifacts', 'aa'), { recursive: true })
  for (const model of ['first', 'second']) await writeFile(join(original, 'artifacts', 'aa', `${model}.joblib`), model)
  const operation = (await applyPlan(original, await makePlan(original, removal), { jobId: 'removal' })).operation_id ?? ''
  const run = (path: string) => restoreTrash(path, operation, { jobId: 'fault', ids })
  const stateAt = onceForSame(stateOf)
  const { copy, before, after, total, stops } = await measureScene(folder, original, run, stateAt)
  return {
    name: `restore of ${name} to store.${kind}`,
    total,
    stops,
    copy,
    run,
    runInChild: () => Promise.reject(new Error('It has no process of its own.')),
    outcome: async (path, about) => {
      await forgetLock(path)
      await expectFlushed(path, about, () => recoverWorkspace(path))
      expect(await readInterruption(path), about).toBeNull()
      const state = await stateAt(path)
      const isAfter = JSON.stringify(state) === JSON.stringify(after)
      expect(state, about).toEqual(isAfter ? after : before)
      return isAfter ? 'after' : 'before'
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

interface State extends Snapshot {
  readonly trash: readonly { readonly kind: string; readonly partly_restored: boolean }[]
}

const stateOf = async (path: string): Promise<State> => ({
  ...(await snapshot(path)),
  trash: (await listTrash(path)).rows.map(({ kind, partly_restored }) => ({ kind, partly_restored })),
})
