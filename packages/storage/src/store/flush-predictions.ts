import * as z from 'zod'
import type { ArrayOperations } from '../array-store/array-operations.ts'
import type { ArrayRecord } from '../array-store/array-record.ts'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { faultPoint } from '../files/fault-point.ts'
import { exists } from '../files/move-file.ts'
import { type Layout, layoutOf } from '../migration/workspace-layout.ts'
import { refreshChainSummaries } from './chain-summary.ts'
import { beginFlush, endFlush, type FlushJournal, undoFlush } from './flush-journal.ts'
import { loadIncoming, type Match, matchIncoming, type Placed, refuseUnfit, replaceRows } from './incoming-rows.ts'
import { type BufferedPrediction, isSameScores, lastOfEach, naturalKeyOf } from './prediction-input.ts'
import { refuseOtherDataset } from './refuse-dataset.ts'
import { inTransaction } from './store-transaction.ts'

export interface FlushContext {
  readonly root: string
  readonly engine: Engine
  readonly arrays: ArrayOperations
  /** Flushes the name of the log that a commit may have made. */
  readonly flushLog: () => Promise<void>
}

/**
 * Saves predictions: all arrays in one batch, then all rows in one transaction, which also brings the summaries of their chains up to date.
 * A crash in between leaves nothing but array rows that no prediction names; where arrays of known predictions are replaced, or go because
 * another result comes without any, the old ones come back at the next opening. Returns the ids in the order given. Throws `validation` before anything is written when a prediction comes
 * for another dataset than the one with its natural key.
 */
export const flushPredictions = async (context: FlushContext, buffered: readonly BufferedPrediction[]): Promise<string[]> => {
  if (buffered.length === 0) return []
  const { engine } = context
  await refuseUnsettled(layoutOf(context.root))
  const rows = lastOfEach(buffered)
  await loadIncoming(engine, rows)
  const matches = await matchIncoming(engine)
  await refuseUnfit(engine, rows, matches)
  const placed = placeRows(rows, matches)
  const { now } = await engine.one(z.object({ now: z.string() }), 'SELECT current_localtimestamp()::VARCHAR AS now')
  await saveAll(context, { rows, placed, now, matches })
  const idOf = new Map(rows.map((row, index) => [naturalKeyOf(row), placed[index]?.id ?? row.id]))
  return buffered.map((one) => idOf.get(naturalKeyOf(one)) ?? one.id)
}

/** What an earlier flush could not take back is taken back by the next opening; until then nothing may come on top. */
const refuseUnsettled = async (layout: Layout): Promise<void> => {
  if (!(await exists(layout.journal))) return
  throw new StorageError('interrupted', 'An earlier save failed and could not be taken back yet. Nothing was changed.', {
    path: layout.root,
    hint: 'Check the disk, close this store and open it again: that puts it in order.',
  })
}

interface PlacedRow extends Placed {
  /** Whether arrays that it may have are of another result, and none come in their place. */
  readonly losesArrays: boolean
}

/** A prediction that is known keeps its id. Throws `validation` when it is one of another dataset. */
const placeRows = (rows: readonly BufferedPrediction[], matches: readonly Match[]): PlacedRow[] => {
  const known = new Map(matches.map((match) => [match.place, match]))
  return rows.map((one, place) => {
    const match = known.get(place)
    if (match !== undefined) refuseOtherDataset(one, match.dataset)
    const id = match?.id ?? one.id
    if (one.arrays !== null) return { id, n_samples: one.row.n_samples ?? null, losesArrays: false }
    if (match?.is_same && isSameScores(one.row.scores, match.scores)) return { id, n_samples: match.n_samples, losesArrays: false }
    return { id, n_samples: null, losesArrays: match !== undefined }
  })
}

interface Flush {
  readonly rows: readonly BufferedPrediction[]
  readonly placed: readonly PlacedRow[]
  readonly now: string
  readonly matches: readonly Match[]
}

const saveAll = async ({ root, engine, arrays, flushLog }: FlushContext, { rows, placed, now, matches }: Flush): Promise<void> => {
  const layout = layoutOf(root)
  const records = rows.flatMap((row, place) => recordOf(row, placed[place]?.id ?? row.id, now))
  const saved = new Set(records.map((record) => record.prediction_id))
  const bared = new Set(placed.filter((one) => one.losesArrays).map(({ id }) => id))
  const overwritten = matches.filter(({ id }) => saved.has(id) || bared.has(id))
  const journal = overwritten.length === 0 ? null : await beginFlush(layout, arrays, overwritten, now)
  try {
    if (records.length > 0) await arrays.saveBatch(records)
    if (bared.size > 0) await arrays.dropArrays(bared)
    await faultPoint({ kind: 'engine-write', path: layout.wal })
    await inTransaction(engine, async () => {
      await replaceRows(
        engine,
        placed,
        matches.map(({ id }) => id),
        now,
      )
      await refreshChainSummaries(engine, 'SELECT DISTINCT chain_id FROM temp.main.incoming WHERE chain_id IS NOT NULL')
    })
  } catch (error) {
    if (journal !== null) await takeBack(layout, journal, arrays)
    throw error
  }
  if (journal === null) return
  await flushLog()
  await endFlush(layout, journal)
}

const takeBack = async (layout: Layout, journal: FlushJournal, arrays: ArrayOperations): Promise<void> => {
  await undoFlush(journal, layout, arrays, new Set(journal.evidence.prediction_ids))
  await endFlush(layout, journal)
}

const recordOf = ({ row, arrays }: BufferedPrediction, id: string, now: string): ArrayRecord[] => {
  if (arrays === null) return []
  const { dataset_name, model_name, fold_id, partition, metric, val_score, task_type, branch_name, refit_context } = row
  const about = { branch_name, refit_context, created_at: now }
  return [{ ...arrays, prediction_id: id, dataset_name, model_name, fold_id, partition, metric, val_score, task_type, about }]
}
