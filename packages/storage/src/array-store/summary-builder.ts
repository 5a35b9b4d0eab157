import { metricDirection } from '@nirs-workspace/types'
import { type ColumnBlock, offsetsOf, type RowBlock, textAt } from '../parquet/column-block.ts'
import { type FileSummary, summaryVersion } from '../parquet/own-metadata.ts'
import type { RecordContext } from './array-record.ts'
import { ContextCounts, type ContextSummary } from './context-counts.ts'
import { FacetCounts } from './facet-counts.ts'
import { rowKey } from './row-positions.ts'

/** What of a row counts for the summary of its file. */
export interface SummaryRow {
  readonly prediction_id: string
  readonly dataset_name: string
  readonly model_name: string | null
  readonly fold_id: string | null
  readonly partition: string | null
  readonly metric: string | null
  readonly task_type: string | null
  readonly val_score: number | null
}

export const summaryColumns = [
  'prediction_id',
  'dataset_name',
  'model_name',
  'fold_id',
  'partition',
  'metric',
  'task_type',
  'val_score',
] as const

const facetColumns = ['model_name', 'fold_id', 'partition', 'task_type', 'metric'] as const
const topRows = 5

type MetricFigures = FileSummary['metrics'][number]
type KnownRefits = FileSummary['refits']

/**
 * Keeps the summary of a file while rows come and go, without looking at the others. `isStale` once a row has gone that may have been an
 * extreme: then only all rows together can tell. Starts from `base`, of this version; `refits` are refits among the rows that are to come.
 */
export class SummaryBuilder {
  readonly #datasets: Map<string, number>
  readonly #facets: FacetCounts
  readonly #contexts: ContextCounts
  readonly #metrics: Map<string, MetricFigures>
  readonly #refits = new Map<string, KnownRefits[number]>()
  readonly #announced: ReadonlySet<string>
  #rows: number
  #isStale = false

  constructor(base: FileSummary | null = null, refits: KnownRefits = []) {
    for (const refit of base?.refits ?? []) this.#refits.set(keyOf(refit), refit)
    this.#announced = new Set(refits.map(keyOf))
    this.#rows = base?.rows ?? 0
    this.#datasets = new Map(base?.datasets.map(({ name, rows }) => [name, rows]))
    const facets = facetColumns.map((facet) => [facet, base?.facets[facet] ?? {}])
    this.#facets = new FacetCounts(Object.fromEntries(facets))
    this.#contexts = new ContextCounts(base)
    this.#metrics = new Map(base?.metrics.map((figures) => [figures.metric, figures]))
  }

  get isStale(): boolean {
    return this.#isStale
  }

  /** Whether branches, refits and times are those of the rows that count. */
  get hasExactContext(): boolean {
    return this.#contexts.isExact
  }

  add(row: SummaryRow, context: RecordContext | undefined): void {
    this.#count(row, 1)
    this.#contexts.add(context)
    this.#score(row, isRefit(context, this.#announced.has(keyOf(row))))
  }

  /** A row takes the place of another of its prediction. `was`: what the metadata said of that one. */
  replace(before: SummaryRow, row: SummaryRow, context: RecordContext | undefined, was: RecordContext | undefined): void {
    const wasRefit = this.#refits.has(keyOf(before))
    this.#takeOff(before)
    this.#count(row, 1)
    this.#contexts.replace(was, context)
    this.#score(row, isRefit(context, wasRefit || this.#announced.has(keyOf(row))))
  }

  /** Adds the rows of another summary. */
  merge(other: FileSummary): void {
    this.#rows += other.rows
    for (const { name, rows } of other.datasets) this.#datasets.set(name, (this.#datasets.get(name) ?? 0) + rows)
    for (const facet of facetColumns)
      for (const [value, rows] of Object.entries(other.facets[facet] ?? {})) this.#facets.count(facet, value, rows)
    this.#contexts.merge(other)
    for (const figures of other.metrics) {
      const before = this.#metrics.get(figures.metric)
      this.#metrics.set(figures.metric, before === undefined ? figures : mergedFigures(before, figures))
    }
    for (const refit of other.refits) this.#refits.set(keyOf(refit), refit)
  }

  /** `was`: what the metadata said of it; what nobody says stays counted. */
  remove(row: SummaryRow, was: RecordContext | undefined): void {
    this.#takeOff(row)
    this.#contexts.remove(was)
  }

  #takeOff(row: SummaryRow): void {
    this.#count(row, -1)
    const isKnownRefit = this.#refits.delete(keyOf(row))
    const figures = row.metric === null ? undefined : this.#metrics.get(row.metric)
    if (figures === undefined) return
    const score = isKnownRefit ? null : rankedScore(row)
    const left = withoutScore(counted(figures, row, -1), score)
    if (left.rows === 0) this.#metrics.delete(figures.metric)
    else this.#metrics.set(figures.metric, left)
    this.#isStale ||= score !== null && isExtreme(figures, row)
  }

  /** Scores, facets and rows of this builder with the branches, refits and times of another summary, if there is one. */
  withContextOf(base: ContextSummary | null): FileSummary {
    return base === null ? this.result() : withContext(this.result(), new ContextCounts(base))
  }

  result(): FileSummary {
    const contexts = this.#contexts.result()
    const datasets = [...this.#datasets].filter(([, rows]) => rows > 0).map(([name, rows]) => ({ name, rows }))
    return {
      version: summaryVersion,
      rows: this.#rows,
      datasets: datasets.sort((a, b) => (a.name < b.name ? -1 : 1)),
      facets: { ...this.#facets.result(), ...contexts.facets },
      metrics: [...this.#metrics.values()].sort((a, b) => (a.metric < b.metric ? -1 : 1)),
      created_at: contexts.created_at,
      context_exact: contexts.context_exact,
      refits: [...this.#refits.values()],
    }
  }

  #score(row: SummaryRow, isKnownRefit: boolean): void {
    const { prediction_id, dataset_name, metric } = row
    if (isKnownRefit && !isFinal(row)) this.#refits.set(keyOf(row), { prediction_id, dataset_name })
    if (metric === null) return
    const figures = counted(this.#metrics.get(metric) ?? noFigures(metric), row, 1)
    this.#metrics.set(metric, withScore(figures, row, isKnownRefit ? null : rankedScore(row)))
  }

  #count(row: SummaryRow, by: 1 | -1): void {
    this.#rows += by
    this.#datasets.set(row.dataset_name, (this.#datasets.get(row.dataset_name) ?? 0) + by)
    for (const facet of facetColumns) this.#facets.count(facet, row[facet], by)
  }
}

/** The summary with the branches, refits and times that were counted apart. */
export const withContext = (summary: FileSummary, contexts: ContextCounts): FileSummary => {
  const { facets, ...rest } = contexts.result()
  return { ...summary, ...rest, facets: { ...summary.facets, ...facets } }
}

const noFigures = (metric: string): MetricFigures => ({
  metric,
  direction: metricDirection(metric),
  rows: 0,
  not_finite: 0,
  values: 0,
  min: null,
  max: null,
  mean: null,
  top: [],
})

const keyOf = ({ prediction_id, dataset_name }: KnownRefits[number]): string => rowKey(dataset_name, prediction_id)

/** As the metadata has it, or as it was known before where nobody says anything. */
const isRefit = (context: RecordContext | undefined, isKnown: boolean): boolean =>
  context?.refit_context === undefined ? isKnown : context.refit_context !== null

const isFinal = (row: SummaryRow): boolean => (row.fold_id ?? '').startsWith('final')

const finiteScore = ({ val_score }: SummaryRow): number | null => (val_score !== null && Number.isFinite(val_score) ? val_score : null)

/** The score of a cross-validation row of the val partition: no refit, no aggregate over repetitions. */
const rankedScore = (row: SummaryRow): number | null =>
  row.partition === 'val' && !isFinal(row) && !(row.fold_id ?? '').endsWith('_agg') ? finiteScore(row) : null

const counted = (figures: MetricFigures, row: SummaryRow, by: 1 | -1): MetricFigures => ({
  ...figures,
  rows: figures.rows + by,
  not_finite: figures.not_finite + (finiteScore(row) === null ? by : 0),
})

const withScore = (figures: MetricFigures, row: SummaryRow, score: number | null): MetricFigures => {
  if (score === null) return figures
  const values = (figures.values ?? 0) + 1
  const mean = (figures.mean ?? 0) + (score - (figures.mean ?? 0)) / values
  return {
    ...figures,
    values,
    min: figures.min === null || score < figures.min ? score : figures.min,
    max: figures.max === null || score > figures.max ? score : figures.max,
    mean: Number.isFinite(mean) ? mean : null,
    top: figures.direction === 'unknown' ? [] : topWith(figures, row, score),
  }
}

const withoutScore = (figures: MetricFigures, score: number | null): MetricFigures => {
  if (score === null) return figures
  const values = (figures.values ?? 0) - 1
  const mean = figures.mean === null || values <= 0 ? null : figures.mean - (score - figures.mean) / values
  return { ...figures, values, mean: mean !== null && Number.isFinite(mean) ? mean : null }
}

const isExtreme = (figures: MetricFigures, row: SummaryRow): boolean =>
  row.val_score === figures.min || row.val_score === figures.max || figures.top.some((best) => best.prediction_id === row.prediction_id)

const mergedFigures = (a: MetricFigures, b: MetricFigures): MetricFigures => {
  const [m, n] = [a.values ?? 0, b.values ?? 0]
  const mean = m + n === 0 ? null : ((a.mean ?? 0) * m + (b.mean ?? 0) * n) / (m + n)
  return {
    ...a,
    rows: a.rows + b.rows,
    not_finite: a.not_finite + b.not_finite,
    values: m + n,
    min: a.min === null || (b.min !== null && b.min < a.min) ? b.min : a.min,
    max: a.max === null || (b.max !== null && b.max > a.max) ? b.max : a.max,
    mean: mean !== null && Number.isFinite(mean) ? mean : null,
    top: best(a.direction, [...a.top, ...b.top]),
  }
}

const lossOf = (direction: MetricFigures['direction']): ((score: number) => number) =>
  ({ higher: (score: number) => -score, lower: (score: number) => score, zero: Math.abs, unknown: () => 0 })[direction]

const best = (direction: MetricFigures['direction'], entries: MetricFigures['top']): MetricFigures['top'] => {
  const loss = lossOf(direction)
  return entries.toSorted((a, b) => loss(a.val_score) - loss(b.val_score) || (a.prediction_id < b.prediction_id ? -1 : 1)).slice(0, topRows)
}

const topWith = (figures: MetricFigures, row: SummaryRow, score: number): MetricFigures['top'] => {
  const loss = lossOf(figures.direction)
  const last = figures.top.at(-1)
  if (figures.top.length === topRows && last !== undefined && loss(score) > loss(last.val_score)) return figures.top
  const { prediction_id, dataset_name, model_name, fold_id } = row
  const entry = { prediction_id, dataset_name, model_name: model_name ?? '', fold_id: fold_id ?? '', val_score: score }
  return best(figures.direction, [...figures.top, entry])
}

/** The rows of a block as far as the summary goes. */
export const summaryRows = (block: RowBlock, rows: readonly number[]): SummaryRow[] => {
  const readers = new Map(block.map((column) => [column.name, textReader(column)]))
  const text = (name: string, row: number) => readers.get(name)?.(row) ?? null
  const scores = block.find(({ name }) => name === 'val_score')
  return rows.map((row) => ({
    prediction_id: text('prediction_id', row) ?? '',
    dataset_name: text('dataset_name', row) ?? '',
    model_name: text('model_name', row),
    fold_id: text('fold_id', row),
    partition: text('partition', row),
    metric: text('metric', row),
    task_type: text('task_type', row),
    val_score: scores === undefined ? null : scoreAt(scores, row),
  }))
}

const scoreAt = ({ values, valid }: ColumnBlock, row: number): number | null =>
  valid[row] === 1 ? new DataView(values.buffer, values.byteOffset, values.byteLength).getFloat64(row * 8, true) : null

/** Texts of a column row by row; rows often repeat the one before. */
const textReader = (column: ColumnBlock): ((row: number) => string | null) => {
  if (column.width !== 1) return () => null
  const offsets = offsetsOf(column)
  let before: { bytes: Uint8Array; text: string } | undefined
  return (row) => {
    if (column.valid[row] !== 1) return null
    const bytes = column.values.subarray(offsets[row], offsets[row + 1])
    if (before !== undefined && Buffer.compare(before.bytes, bytes) === 0) return before.text
    const text = textAt(column, offsets, row) ?? ''
    before = { bytes, text }
    return text
  }
}
