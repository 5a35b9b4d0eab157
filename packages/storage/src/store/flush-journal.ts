import { randomUUID } from 'node:crypto'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import type { ArrayOperations } from '../array-store/array-operations.ts'
import { escapeGlob } from '../arrays/pin-file.ts'
import { readTombstonesIfSound } from '../arrays/tombstones.ts'
import { quotedString } from '../engine/attach-store.ts'
import { withEngine } from '../engine/open-engine.ts'
import { isStorageError } from '../errors.ts'
import { makeFolder, removeEmptyFolder, removeTree, syncFolder } from '../files/disk.ts'
import { exists } from '../files/move-file.ts'
import { beginJournal, removeJournal } from '../migration/journal.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import type { FlushJournal } from './flush-journal-schema.ts'
import type { Match } from './incoming-rows.ts'

export { FlushJournal } from './flush-journal-schema.ts'

export const flushFolder = (layout: Layout, jobId: string): string => join(layout.control, 'flushes', jobId)
const keptFile = (layout: Layout, jobId: string): string => join(flushFolder(layout, jobId), 'arrays.parquet')

/**
 * Keeps the arrays that predictions have now, before others take their place: arrays and rows cannot be written in one step, and what is in
 * the store must stay what its arrays say. Durable when it returns.
 */
export const beginFlush = async (
  layout: Layout,
  arrays: ArrayOperations,
  known: readonly Pick<Match, 'id' | 'created_at'>[],
  createdAt: string,
): Promise<FlushJournal> => {
  const ids = known.map(({ id }) => id)
  const job = `flush-${randomUUID().slice(0, 8)}`
  const folder = flushFolder(layout, job)
  const file = keptFile(layout, job)
  try {
    await makeFolder(folder)
    const removed = await readTombstonesIfSound(layout.arrays)
    const rows = await arrays.copyRows(new Set(ids), file)
    const kept = new Set(rows === 0 ? [] : await idsIn(file))
    for (const path of [folder, dirname(folder), layout.control, layout.root]) await syncFolder(path)
    const journal: FlushJournal = {
      format: 'nirs-workspace/journal/1',
      kind: 'flush',
      job_id: job,
      phase: 'prepare',
      started_at: new Date().toISOString(),
      evidence: { prediction_ids: ids, created_at: createdAt, before: known.map(({ created_at }) => created_at) },
      has_kept: kept.size > 0,
      without: ids.filter((id) => !kept.has(id)),
      marked: ids.filter((id) => kept.has(id) && removed?.has(id) === true),
    }
    await beginJournal(layout, journal)
    return journal
  } catch (error) {
    await giveUp(layout, job)
    throw error
  }
}

/** A journal that is there, or that a power cut may bring back, needs what was kept: the next opening puts that in order. */
const giveUp = async (layout: Layout, job: string): Promise<void> => {
  if (await exists(layout.journal)) return
  await syncFolder(layout.control)
  await removeFolder(layout, job)
}

const idsIn = (file: string): Promise<string[]> =>
  withEngine({}, async (engine) => {
    const source = `read_parquet(${quotedString(escapeGlob(file))}, hive_partitioning = false)`
    return (await engine.rows(z.object({ id: z.string() }), `SELECT prediction_id AS id FROM ${source}`)).map(({ id }) => id)
  })

/**
 * Puts the arrays of these predictions back that were there before; those that were removed are again. Can be repeated.
 */
export const undoFlush = async (
  journal: FlushJournal,
  layout: Layout,
  arrays: ArrayOperations,
  ids: ReadonlySet<string>,
): Promise<void> => {
  const { has_kept, without, marked = [], job_id } = journal
  const chosen = (all: readonly string[]) => new Set(all.filter((id) => ids.has(id)))
  const [bare, again] = [chosen(without), chosen(marked)]
  if (bare.size > 0) await takeAway(arrays, bare)
  if (has_kept) await arrays.appendFile(keptFile(layout, job_id), ids)
  if (again.size > 0) await arrays.deleteBatch(again)
}

/** A mark would not last, as the metadata goes on knowing these; in a file that cannot be read or written anew there is nothing else. */
const takeAway = async (arrays: ArrayOperations, ids: ReadonlySet<string>): Promise<void> => {
  try {
    await arrays.dropArrays(ids)
  } catch (error) {
    if (!isStorageError(error, 'arrays_corrupt', 'store_too_new')) throw error
    await arrays.deleteBatch(ids)
  }
}

/** Nothing of a flush stays but its results. The journal goes first: without it what is kept means nothing. */
export const endFlush = async (layout: Layout, journal: FlushJournal): Promise<void> => {
  await removeJournal(layout)
  await removeFolder(layout, journal.job_id)
}

const removeFolder = async (layout: Layout, job: string): Promise<void> => {
  await removeTree(flushFolder(layout, job))
  await removeEmptyFolder(join(layout.control, 'flushes'))
}

/** What flushes that died before their journal, or after it, have left behind. */
export const sweepFlushes = async (layout: Layout): Promise<void> => {
  const folder = join(layout.control, 'flushes')
  if (await exists(folder)) await removeTree(folder)
}
