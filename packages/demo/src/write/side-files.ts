import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PlannedRun } from '../plan/demo-plan.ts'
import { splitFolds } from '../train/split-folds.ts'

const two = (value: number) => String(value).padStart(2, '0')

/** Time of day of a moment given in microseconds, as the library's log files have it. */
const stampOf = (micros: number) => {
  const date = new Date(micros / 1000)
  const day = `${date.getUTCFullYear()}${two(date.getUTCMonth() + 1)}${two(date.getUTCDate())}`
  const clock = `${two(date.getUTCHours())}${two(date.getUTCMinutes())}${two(date.getUTCSeconds())}`
  return { day, clock, iso: `${date.toISOString().slice(0, 19)}+0000` }
}

/** `logs/R-<date>-<time>-<4 hex>.log` of one run. */
export const writeRunLog = async (
  directory: string,
  run: PlannedRun,
  runId: string,
  startedAt: number,
  lines: readonly string[],
): Promise<void> => {
  const { day, clock, iso } = stampOf(startedAt)
  const text = [`Run ${run.name} on ${run.datasets.join(', ')}`, ...lines].map((line) => `${iso} [INFO] ${line}\n`).join('')
  await writeFile(join(directory, 'logs', `R-${day}-${clock}-${runId.slice(0, 4)}.log`), text)
}

/** One column per fold with the row numbers that the fold trained on; shorter columns end in empty cells. */
const foldTable = (columns: readonly Int32Array[]) => {
  const length = Math.max(...columns.map((column) => column.length))
  const lines = Array.from({ length }, (_, row) => columns.map((column) => column[row] ?? '').join(','))
  return `${columns.map((_, fold) => `fold_${fold}`).join(',')}\n${lines.join('\n')}\n`
}

/** The splitters' files in `outputs/`. As in the library, a later run with the same splitter replaces the earlier file. */
export const writeFoldFiles = async (directory: string, run: PlannedRun, calibrationSize: number): Promise<void> => {
  const splits = splitFolds(calibrationSize, run.folds, run.foldSeed)
  await writeFile(join(directory, 'outputs', `folds_KFold_seed${run.foldSeed}.csv`), foldTable(splits.map((split) => split.train)))
  const everything = Int32Array.from({ length: calibrationSize }, (_, row) => row)
  await writeFile(join(directory, 'outputs', 'folds__FullTrainFoldSplitter.csv'), foldTable([everything]))
}
