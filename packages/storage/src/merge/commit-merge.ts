import { stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { RowIdentity } from '../array-store/removed-elsewhere.ts'
import { attachWritable, detach } from '../engine/attach-store.ts'
import { StorageError } from '../errors.ts'
import { makeFolder, rename, syncFile, syncFolder } from '../files/disk.ts'
import { faultPoint } from '../files/fault-point.ts'
import { isSameFile } from '../files/hash-file.ts'
import { exists, linkNew, linkOrMove } from '../files/move-file.ts'
import { resolveMaintained, withReading } from '../maintenance/maintenance-workspace.ts'
import { writeJournal } from '../migration/journal.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import { fingerprintWorkspace } from '../workspace/fingerprint-workspace.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { chooseEvidence, insertRows, targetAlias } from './insert-rows.ts'
import type { LaterRows } from './later-tables.ts'
import { type MergeJournal, mergePlaces, type PlacedFile } from './merge-journal.ts'
import { newMark } from './merge-mark.ts'
import type { OpenMerge } from './open-merge.ts'
import { keyOf } from './source-views.ts'
import type { StagedArrays } from './stage-arrays.ts'
import type { StagedModel } from './stage-models.ts'

/**
 * Puts the staged files in their places, then changes the store in one transaction, which is the moment from which the merge counts. The
 * store is attached for writing from before the files move, so that nobody else writes meanwhile. `finishMerge` does the rest.
 */
export const commitMerge = async (
  merge: OpenMerge,
  target: ResolvedWorkspace,
  layout: Layout,
  journal: MergeJournal,
  arrays: readonly StagedArrays[],
  later: readonly LaterRows[],
): Promise<void> => {
  const { engine } = merge
  const hadLog = await exists(layout.wal)
  await refuseStale(merge, target)
  await faultPoint({ kind: 'engine-write', path: layout.store })
  await attachWritable(engine, layout.store, targetAlias)
  try {
    if (!hadLog) await refuseStale(merge, target)
    for (const file of arrays) await refuseMoved(join(layout.arrays, file.name), file)
    await writeJournal(layout, journal)
    await placeFiles(layout, journal, arrays)
    await faultPoint({ kind: 'engine-write', path: layout.store })
    await insertRows(merge, later, journal.mark)
    await faultPoint({ kind: 'engine-write', path: layout.store })
    await engine.run(`CHECKPOINT ${targetAlias}`)
  } finally {
    await detach(engine, targetAlias)
  }
  // DuckDB has flushed its own; this is for disks that keep its promise only when asked again.
  await syncFile(layout.store)
  await syncFolder(layout.root)
}

/** The journal of the commit: what will be placed where, and how a later look at the store tells whether it was done. */
export const commitJournal = async (
  merge: OpenMerge,
  layout: Layout,
  journal: MergeJournal,
  staged: {
    arrays: readonly StagedArrays[]
    models: readonly StagedModel[]
    gone: readonly string[]
    returned: readonly RowIdentity[]
    later: readonly LaterRows[]
    trash: string | null
  },
): Promise<MergeJournal> => {
  const inside = (path: string) => relative(layout.root, path).split(sep).join('/')
  const { replaced } = mergePlaces(layout, journal.job_id)
  return {
    ...journal,
    phase: 'commit',
    placed: staged.arrays.map(({ name, path, mark, before }) => ({
      staged: inside(path),
      target: `arrays/${name}`,
      mark,
      replaced: before === null ? null : inside(join(replaced, name)),
    })),
    models: staged.models.map(({ path, staged: from, mark }) => ({
      staged: inside(from),
      target: `artifacts/${path}`,
      mark,
      replaced: null,
    })),
    evidence: await chooseEvidence(merge, staged.later),
    mark: newMark(),
    gone: [...staged.gone],
    returned: [...staged.returned],
    trash: staged.trash,
  }
}

const placeFiles = async (layout: Layout, journal: MergeJournal, arrays: readonly StagedArrays[]): Promise<void> => {
  const at = (path: string) => join(layout.root, path)
  const { replaced, folder } = mergePlaces(layout, journal.job_id)
  if (journal.placed.some((file) => file.replaced !== null)) {
    await makeFolder(replaced)
    await syncFolder(folder)
  }
  for (const file of journal.placed) if (file.replaced !== null) await linkOrMove(at(file.target), at(file.replaced))
  // What has just got its second name must be what was read: nirs4all writes array files without asking for our lock.
  for (const file of arrays) if (file.before !== null) await refuseMoved(join(replaced, file.name), file)
  if (journal.placed.some((file) => file.replaced !== null)) await syncFolder(replaced)
  for (const folder of foldersOf([...journal.models, ...journal.placed])) await makeFolder(at(folder))
  for (const file of [...journal.models, ...journal.placed]) {
    if (file.replaced !== null) await rename(at(file.staged), at(file.target))
    else if (!(await linkNew(at(file.staged), at(file.target))) && !(await isSameFile(at(file.target), file.mark)))
      throw changed(file.target)
  }
  for (const folder of foldersOf([...journal.models, ...journal.placed])) await syncFolder(at(folder))
  await syncFolder(layout.root)
}

/** Every folder that the files need, parents first. */
const foldersOf = (files: readonly PlacedFile[]): Set<string> =>
  new Set(
    files.flatMap(({ target }) => {
      const parts = target.split('/').slice(0, -1)
      return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
    }),
  )

const refuseStale = async (merge: OpenMerge, target: ResolvedWorkspace): Promise<void> => {
  if ((await fingerprintWorkspace(target)) === merge.target?.fingerprint) return
  throw new StorageError('plan_stale', 'The target has changed while the merge was prepared. Nothing was changed.', {
    hint: 'Merge again.',
  })
}

const refuseMoved = async (path: string, { name, before }: StagedArrays): Promise<void> => {
  const now = await stat(path).catch(() => null)
  if ((now?.size ?? null) === (before?.bytes ?? null) && (now?.mtimeMs ?? null) === (before?.mtimeMs ?? null)) return
  throw changed(`arrays/${name}`)
}

const changed = (path: string) =>
  new StorageError('plan_stale', `${path} has changed while the merge was prepared. Nothing was changed.`, { hint: 'Merge again.' })

const knownKeys: Readonly<Record<string, string>> = keyOf

/**
 * Whether the transaction of an interrupted merge is done, from the store itself. Its mark tells, whatever others have removed since. nirs4all may
 * have turned the store into a store.sqlite, which has no comments: where all that came is gone then, and what gave way as well, the trash alone has it.
 */
export const isMergeDone = async (layout: Layout, { phase, evidence, mark }: MergeJournal): Promise<boolean> => {
  if (phase === 'done') return true
  if (phase !== 'commit') return false
  const resolved = await resolveMaintained(layout.root)
  return withReading(resolved, async (metadata) => {
    const comment = mark === null ? null : await metadata.commentOn('predictions')
    if (mark !== null && comment?.includes(mark) === true) return true
    if (evidence === null) return false
    const { table, ids, removed } = evidence
    if ((await metadata.valuesIn(table, evidence.key ?? knownKeys[table] ?? '', ids)).size > 0) return true
    if (mark !== null && resolved.sqlite === null) return false
    return removed.length > 0 && (await metadata.valuesIn('predictions', 'prediction_id', removed)).size === 0
  })
}
