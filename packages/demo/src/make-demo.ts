import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { attachWritable, detach, withEngine } from '@nirs-workspace/storage'
import { type DemoPlan, type DemoSize, plannedRows } from './plan/demo-plan.ts'
import { largePlan } from './plan/large-plan.ts'
import { smallPlan, tinyPlan } from './plan/small-plan.ts'
import { openTrainingPool } from './train/training-pool.ts'
import { multiplyPredictions } from './write/multiply-predictions.ts'
import { createStoreWriter, STORE } from './write/store-writer.ts'
import { addRun } from './write/write-run.ts'

export interface DemoProgress {
  readonly phase: 'training' | 'multiplying' | 'finishing'
  /** Prediction rows made so far, and in the end. */
  readonly done: number
  readonly total: number
}

export interface DemoOptions {
  /** A folder that does not exist yet, or is empty. */
  readonly directory: string
  /**
   * `tiny`: some 130 predictions, for tests. `small`: about 1 500. `large`: 100 000, with arrays of about 180 samples. `huge`:
   * metadata of 1 000 000 predictions; the first ten thousand of them are trained and have arrays, the rest are variations of them
   * without arrays.
   */
  readonly size: DemoSize
  /** Predictions of `large` or `huge`, when not the usual number; of `huge` a multiple of 10 000. */
  readonly rows?: number
  readonly seed?: number
  readonly onProgress?: (progress: DemoProgress) => void
}

export interface Demo {
  readonly path: string
  /** Rows of `predictions`. */
  readonly predictions: number
  readonly datasets: readonly string[]
}

const plans: Record<DemoSize, (rows?: number) => DemoPlan> = {
  tiny: () => tinyPlan,
  small: () => smallPlan,
  large: (rows = 100_000) => largePlan(rows),
  huge: () => largePlan(10_000),
}

const DEFAULT_SEED = 71
const HUGE_ROWS = 1_000_000

const emptyFolder = async (directory: string) => {
  await mkdir(directory, { recursive: true })
  const present = await readdir(directory)
  if (present.length > 0)
    throw new Error(`The demo needs an empty folder; ${directory} holds ${present.length} entries. Nothing was changed.`)
  for (const folder of ['artifacts', 'exports', 'logs', 'outputs']) await mkdir(join(directory, folder))
}

/**
 * Makes a workspace as nirs4all 0.7.1 leaves it, of synthetic spectra and models that are really fitted to them. The same size and
 * seed give the same rows on every machine.
 */
export const makeDemo = async (options: DemoOptions): Promise<Demo> => {
  const { directory, size, seed = DEFAULT_SEED, onProgress = () => undefined } = options
  const plan = plans[size](options.rows)
  const trainedRows = plan.runs.reduce((sum, run) => sum + plannedRows(run), 0)
  const total = size === 'huge' ? Math.max(trainedRows, options.rows ?? HUGE_ROWS) : trainedRows
  await emptyFolder(directory)
  const { samples, stepNm, keepFoldModels } = plan
  const pool = openTrainingPool({ seed, samples, stepNm, keepFoldModels }, plan.workers)
  let done = 0
  const onPredictions = (count: number) => {
    done += count
    onProgress({ phase: 'training', done, total })
  }
  try {
    await withEngine({ memoryLimit: '2GB', threads: 2 }, async (engine) => {
      // One checkpoint at the end packs the file; checkpoints in between would leave it half full of freed blocks.
      await engine.run(`SET checkpoint_threshold = '8GB'`)
      await attachWritable(engine, join(directory, 'store.duckdb'), STORE, plan.blockSize)
      const writer = await createStoreWriter(engine)
      for (const run of plan.runs) {
        await addRun(writer.pending(), run, { seed, directory, pool, onPredictions })
        await writer.flushIfFull()
      }
      await writer.flush()
      if (total > trainedRows)
        await multiplyPredictions(engine, seed, trainedRows, total, (rows) => onProgress({ phase: 'multiplying', done: rows, total }))
      onProgress({ phase: 'finishing', done: total, total })
      await writer.finish()
      await detach(engine, STORE)
    })
  } finally {
    await pool.close()
  }
  const datasets = [...new Set(plan.runs.flatMap((run) => (run.failure === undefined ? run.datasets : [])))].toSorted()
  return { path: directory, predictions: total, datasets }
}
