import { Download } from 'lucide-react'
import { useFormat, useText } from '../../text/text.tsx'
import { datasetLabel } from '../../text/value-label.ts'
import { Button } from '../../ui/button.tsx'
import type { ExportDataset } from './export-datasets.ts'
import { type ExportForm, isPartial } from './export-request.ts'

/** Predictions that the export takes of each dataset; undefined while nobody has counted. */
export type Counts = ReadonlyMap<string, number> | undefined

export interface Run {
  /** Bytes received so far; undefined while nothing runs. */
  readonly received: number | undefined
  readonly error: string | undefined
  readonly start: () => void
}

interface FooterProps {
  readonly form: ExportForm
  readonly datasets: readonly ExportDataset[]
  readonly counts: Counts
  /** What a reader of the file should know. */
  readonly warnings: readonly string[]
  readonly run: Run
  readonly onClose: () => void
}

/** What comes out, and the way to it. */
export const ExportFooter = ({ form, datasets, counts, warnings, run, onClose }: FooterProps) => {
  const text = useText()
  const format = useFormat()
  const chosen = datasets.filter((dataset) => form.datasets.includes(dataset.name))
  const empty = chosen.length > 0 && counts !== undefined && chosen.every(({ name }) => (counts.get(name) ?? 0) === 0)
  return (
    <>
      <p aria-live="polite" className="min-w-0 flex-1 break-words text-muted max-sm:max-h-40 max-sm:basis-full max-sm:overflow-y-auto">
        {run.received !== undefined ? (
          <span title={format.int(run.received)}>{run.received === 0 ? text.export.preparing : text.export.progress(run.received)}</span>
        ) : chosen.length === 0 ? (
          text.export.nothing
        ) : empty ? (
          <span className="text-warning">{text.export.noMatch[form.layout]}</span>
        ) : (
          <Summary chosen={chosen} counts={counts} warnings={warnings} partial={isPartial(form)} />
        )}
      </p>
      <Button onClick={onClose}>{text.common.cancel}</Button>
      <Button tone="primary" disabled={chosen.length === 0 || empty || run.received !== undefined} onClick={run.start}>
        <Download size={16} aria-hidden /> {text.export.start}
      </Button>
    </>
  )
}

const namedAtMost = 5

interface SummaryProps extends Pick<FooterProps, 'counts' | 'warnings'> {
  readonly chosen: readonly ExportDataset[]
  readonly partial: boolean
}

const Summary = ({ chosen, counts, warnings, partial }: SummaryProps) => {
  const text = useText()
  const format = useFormat()
  const taken = chosen.map((dataset) => takenOf(dataset, counts)).filter(({ predictions }) => predictions > 0)
  const sum = (size: (dataset: ExportDataset) => number): number => taken.reduce((total, dataset) => total + size(dataset), 0)
  // A sum with a part unknown would be too small to be of use.
  const bytes = taken.some((dataset) => dataset.bytes === undefined) ? '' : format.bytes(sum((dataset) => dataset.bytes ?? 0))
  const about = taken.some((dataset) => dataset.estimated) ? '≈ ' : ''
  const leftOut = counts === undefined ? [] : chosen.filter(({ name }) => (counts.get(name) ?? 0) === 0)
  const names = leftOut.slice(0, namedAtMost).map(({ name }) => datasetLabel(name, text))
  return (
    <>
      {text.export.summary(
        taken.length,
        sum((dataset) => dataset.predictions),
        bytes === '' ? '' : about + bytes,
      )}
      {partial && counts === undefined ? ` (${text.export.filtered})` : ''}
      {leftOut.length === 0 ? null : (
        <span className="block text-warning">{text.export.leftOut(names, leftOut.length - names.length)}</span>
      )}
      {warnings.map((warning) => (
        <span key={warning} className="block text-warning">
          {warning}
        </span>
      ))}
    </>
  )
}

/** The part of a dataset that is taken, and what that part of its bytes comes to. */
const takenOf = (dataset: ExportDataset, counts: Counts): ExportDataset => {
  const predictions = counts === undefined ? dataset.predictions : (counts.get(dataset.name) ?? 0)
  if (predictions === dataset.predictions) return dataset
  const bytes = dataset.bytes === undefined ? undefined : (dataset.bytes * predictions) / dataset.predictions
  return { ...dataset, predictions, bytes, estimated: true }
}
