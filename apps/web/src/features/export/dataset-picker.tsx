import { useFormat, useText } from '../../text/text.tsx'
import { datasetLabel } from '../../text/value-label.ts'
import { Badge } from '../../ui/badge.tsx'
import type { ExportDataset } from './export-datasets.ts'

interface PickerProps {
  readonly datasets: readonly ExportDataset[]
  readonly chosen: readonly string[]
  /** Predictions that the export takes of each; undefined while nobody has counted. */
  readonly counts: ReadonlyMap<string, number> | undefined
  readonly onChange: (names: readonly string[]) => void
}

/** Datasets with what each one weighs. */
export const DatasetPicker = ({ datasets, chosen, counts, onChange }: PickerProps) => {
  const text = useText()
  const all = datasets.length > 0 && chosen.length === datasets.length
  const toggle = (name: string): void => onChange(chosen.includes(name) ? chosen.filter((other) => other !== name) : [...chosen, name])
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1 font-semibold">{text.export.datasets}</legend>
      <div className="max-h-96 overflow-y-auto rounded-md border border-line">
        <label className="flex min-h-9 cursor-pointer items-center gap-2.5 border-b border-line bg-sunken px-3">
          <input
            type="checkbox"
            checked={all}
            ref={(box) => {
              if (box !== null) box.indeterminate = !all && chosen.length > 0
            }}
            onChange={() => onChange(all ? [] : datasets.map((dataset) => dataset.name))}
            className="size-4 accent-(--accent)"
          />
          {text.export.all}
        </label>
        {datasets.map((dataset) => (
          <Dataset
            key={dataset.name}
            dataset={dataset}
            count={counts === undefined ? undefined : (counts.get(dataset.name) ?? 0)}
            checked={chosen.includes(dataset.name)}
            onToggle={() => toggle(dataset.name)}
          />
        ))}
      </div>
    </fieldset>
  )
}

interface DatasetProps {
  readonly dataset: ExportDataset
  readonly count: number | undefined
  readonly checked: boolean
  readonly onToggle: () => void
}

const Dataset = ({ dataset, count, checked, onToggle }: DatasetProps) => {
  const text = useText()
  const format = useFormat()
  return (
    <label className="flex min-h-9 cursor-pointer items-center gap-2.5 px-3 py-1 hover:bg-hover">
      <input type="checkbox" checked={checked} onChange={onToggle} className="size-4 shrink-0 accent-(--accent)" />
      <span className="min-w-0 flex-1 break-words">
        {datasetLabel(dataset.name, text)}
        {dataset.unreadable ? (
          <span className="ml-1.5">
            <Badge tone="warning" title={text.overview.unreadableCardHint}>
              {text.overview.unreadableCard}
            </Badge>
          </span>
        ) : null}
      </span>
      <span className="text-right text-xs whitespace-nowrap text-muted">
        {count === undefined || count === dataset.predictions
          ? text.common.predictions(dataset.predictions)
          : text.export.some(count, dataset.predictions)}
        <span className="block min-h-[1lh]" title={dataset.estimated ? text.export.estimate : undefined}>
          {dataset.bytes === undefined ? '' : `${dataset.estimated ? '≈ ' : ''}${format.bytes(dataset.bytes)}`}
        </span>
      </span>
    </label>
  )
}
