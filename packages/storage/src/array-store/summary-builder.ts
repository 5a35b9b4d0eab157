import { metricDirection } from '@nirs-workspace/types'
import { type ColumnBlock, offsetsOf, type RowBlock, textAt } from '../parquet/column-block.ts'
import { type FileSummary, summaryVersion } from '../parquet/own-metadata.ts'
import type { RecordContext } from './array-record.ts'
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
const contextFacets = ['branch_name', 'refit_context'] as const
const mostFacetValues = 200
const topRows = 5

type MetricFigures = FileSummary['metrics'][number]
type KnownRefits = FileSummary['refits']

/**
 * Keeps the summary of a file while rows come and go, without looking at the others. `isStale` once a row has gone that may have been an
 * extreme: then only all rows together can tell. Starts from `base`, of this version; `refits` are refits among the rows that are to come.
 */
export class SummaryBuilder {
  readonly #datasets: Map<string, number>
  readonly #facets: Map<string, Map<string, number>>
  readonly #full: ReadonlySet<string>
  readonly #metrics: Map<string, MetricFigures>
  readonly #refits = new Map<string, KnownRefits[number]>()
  readonly #announced: ReadonlySet<string>
  #rows: number
  #first: string | null
  #last: string | null
  #isStale = false

  constructor(base: FileSummary | null = null, refits: KnownRefits = []) {
    for (const refit of base?.refits ?? []) this.#refits.set(keyOf(refit), refit)
    this.#announced = new Set(refits.map(keyOf))
    this.#rows = base?.rows ?? 0
    this.#datasets = new Map(base?.datasets.map(({ name, rows }) => [name, rows]))
    this.#facets = new Map(Object.entries(base?.facets ?? {}).map(([facet, counts]) => [facet, new Map(Object.entries(counts))]))
    this.#full = new Set([...this.#facets].filter(([, counts]) => counts.size >= mostFacetValues).map(([facet]) => facet))
    this.#metrics = new Map(base?.metrics.map((figures) => [figures.metric, figures]))
    this.#first = base?.created_at.first ?? null
    this.#last = base?.created_at.last ?? null
  }

  get isStale(): boolean {
    return this.#isStale
  }

  add(row: SummaryRow, context: RecordContext | undefined): void {
    this.#count(row, 1)
    for (const facet of contextFacets) this.#countFacet(facet, context?.[facet] ?? null, 1)
    this.#dated(context?.created_at ?? null)
    this.#score(row, isRefit(context, this.#announced.has(keyOf(row))))
  }

  /** A row takes the place of another of its prediction. What the metadata says of a prediction is counted once, when it comes. */
  replace(before: SummaryRow, row: SummaryRow, context: RecordContext | undefined): void {
    const wasRefit = this.#refits.has(keyOf(before))
    this.remove(before)
    this.#count(row, 1)
    this.#score(row, isRefit(context, wasRefit || this.#announced.has(keyOf(row))))
  }

  /** Adds the rows of another summary. */
  merge(other: FileSummary): void {
    this.#rows += other.rows
    for (const { name, rows } of other.datasets) this.#datasets.set(name, (this.#datasets.get(name) ?? 0) + rows)
    for (const [facet, counts] of Object.entries(other.facets)) {
      for (const [value, rows] of Object.entries(counts)) this.#countFacet(facet, value, rows)
    }
    for (const figures of other.metrics) {
      const before = this.#metrics.get(figures.metric)
      this.#metrics.set(figures.metric, before === undefined ? figures : mergedFigures(before, figures))
    }
    for (const refit of other.refits) this.#refits.set(keyOf(refit), refit)
    this.#dated(other.created_at.first)
    this.#dated(other.created_at.last)
  }

  /** What only the metadata knows of the row (branch, refit, time) stays counted: the file does not say what it was. */
  remove(row: SummaryRow): void {
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

  /** Scores, facets and rows of this builder with the branches, refits and times of another. */
  withContextOf(base: FileSummary | null): FileSummary {
    const summary = this.result()
    if (base === null) return summary
    const facets = Object.fromEntries(
      contextFacets.flatMap((facet) => (base.facets[facet] === undefined ? [] : [[facet, base.facets[facet]]])),
    )
    return { ...summary, facets: { ...summary.facets, ...facets }, created_at: base.created_at }
  }

  result(): FileSummary {
    const datasets = [...this.#datasets].filter(([, rows]) => rows > 0).map(([name, rows]) => ({ name, rows }))
    return {
      version: summaryVersion,
      rows: this.#rows,
      datasets: datasets.sort((a, b) => (a.name < b.name ? -1 : 1)),
      facets: Object.fromEntries([...this.#facets].map(([facet, counts]) => [facet, mostFrequent(counts)])),
      metrics: [...this.#metrics.values()].sort((a, b) => (a.metric < b.metric ? -1 : 1)),
      created_at: { first: this.#first, last: this.#last },
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
    for (const facet of facetColumns) this.#countFacet(facet, row[facet], by)
  }

  #dated(created: string | null): void {
    if (created === null) return
    this.#first = this.#first === null || created < this.#first ? created : this.#first
    this.#last = this.#last === null || created > this.#last ? created : this.#last
  }

  #countFacet(facet: string, value: string | null, by: number): void {
    if (value === null) return
    let counts = this.#facets.get(facet)
    if (counts === undefined) {
      counts = new Map()
      this.#facets.set(facet, counts)
    }
    const before = counts.get(value)
    // A list that was cut does not tell how often a value it lacks has been there.
    if (before === undefined && this.#full.has(facet)) return
    const after = (before ?? 0) + by
    if (after > 0) counts.set(value, after)
    else counts.delete(value)
  }
}

const mostFrequent = (counts: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, mostFacetValues))

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
