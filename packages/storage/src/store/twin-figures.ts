import * as z from 'zod'
import { parsePythonJson } from '../migration/score-means.ts'
import { twinColumns } from '../migration/store-schema.ts'
import { type ChainFigures, type FigureRow, ofChain } from './chain-figures.ts'

export const TwinColumns = z.array(z.enum(twinColumns))

/** Figures of the refit's twin over repetitions that are no longer true when some predictions of the chain go, as nulls. */
export const loseTwins = (figures: ChainFigures, rows: readonly FigureRow[], goes: (row: FigureRow) => boolean): ChainFigures => {
  const parts = partsOfTwin(ofChain(rows).filter(goes))
  return Object.fromEntries(
    twinColumns.filter((column) => madeOf(column, figures).some((part) => parts.has(part))).map((column) => [column, null]),
  )
}

/** Those of before whose predictions are all there again. */
export const regainTwins = (figures: ChainFigures, before: ChainFigures, rows: readonly FigureRow[]): ChainFigures => {
  const parts = partsOfTwin(ofChain(rows))
  const isBack = (column: TwinColumn) => {
    const needed = madeOf(column, before)
    return figures[column] === null && needed.length > 0 && needed.every((part) => parts.has(part))
  }
  return Object.fromEntries(twinColumns.filter(isBack).map((column) => [column, before[column] ?? null]))
}

/** Those of before that are not true while a prediction is missing that went with them, as nulls. */
export const blankTwins = (
  figures: ChainFigures,
  { before, lost = [] }: { readonly before: ChainFigures; readonly lost?: readonly TwinColumn[] | undefined },
  rows: readonly FigureRow[],
): ChainFigures => {
  const parts = partsOfTwin(ofChain(rows))
  const isOut = (column: TwinColumn) => (figures[column] ?? null) !== null && !madeOf(column, before).every((part) => parts.has(part))
  return Object.fromEntries(lost.filter(isOut).map((column) => [column, null]))
}

type TwinColumn = (typeof twinColumns)[number]

const partsOfTwin = (rows: readonly FigureRow[]): ReadonlySet<string> =>
  new Set(rows.filter(({ fold_id }) => fold_id === 'final_agg').map(({ partition }) => partition))

/** The partitions whose rows a figure is of; none when it says nothing. */
const madeOf = (column: TwinColumn, figures: ChainFigures): string[] => {
  const value = figures[column] ?? null
  if (value === null) return []
  if (column !== 'final_agg_scores') return [column === 'final_agg_test_score' ? 'test' : 'train']
  const scores = typeof value === 'string' ? parsePythonJson(value) : null
  const named =
    scores !== null && typeof scores === 'object' ? Object.keys(scores).filter((key) => ['train', 'val', 'test'].includes(key)) : []
  return named.length > 0 ? named : ['test']
}
