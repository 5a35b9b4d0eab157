import type { PredictionFilter } from '@nirs-workspace/types'
import { useQuery } from '@tanstack/react-query'
import { Download } from 'lucide-react'
import { useRef, useState } from 'react'
import { facetsQuery } from '../../api/queries.ts'
import { useWorkspace } from '../../api/workspace.tsx'
import { showToast } from '../../stores/toast.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorMessage, Loading, Skeleton } from '../../ui/states.tsx'
import { DatasetPicker } from './dataset-picker.tsx'
import { CutOff, clickLink, downloadExport } from './download.ts'
import { type ExportDataset, offered, useExportDatasets } from './export-datasets.ts'
import { directUrl, type ExportForm, exportChoices, exportRequest, layouts } from './export-request.ts'
import { ChoiceField, SelectField } from './fields.tsx'

interface ExportProps {
  /** What the table shows now; undefined when nothing is filtered. */
  readonly filters: Partial<PredictionFilter> | undefined
  readonly onClose: () => void
}

export const ExportDialog = ({ filters, onClose }: ExportProps) => {
  const text = useText()
  const workspace = useWorkspace()
  const { datasets, error, retry } = useExportDatasets(workspace.id)
  const abort = useRef<AbortController>(undefined)
  const close = (): void => {
    abort.current?.abort()
    onClose()
  }
  if (datasets !== undefined) return <ReadyDialog datasets={datasets} filters={filters} abort={abort} onClose={close} />
  return (
    <Dialog open onClose={close} title={text.export.title} wide>
      {error !== null ? (
        <ErrorMessage error={error} onRetry={retry} />
      ) : (
        <Loading>
          <Skeleton className="h-72" />
        </Loading>
      )}
    </Dialog>
  )
}

/** As the form, where no choice of datasets yet means those that are offered. */
type Fields = Omit<ExportForm, 'datasets'> & { readonly datasets: readonly string[] | undefined }

interface ReadyProps extends ExportProps {
  readonly datasets: readonly ExportDataset[]
  readonly abort: React.RefObject<AbortController | undefined>
}

const ReadyDialog = ({ datasets, filters, abort, onClose }: ReadyProps) => {
  const text = useText()
  const workspace = useWorkspace()
  const [fields, setForm] = useState<Fields>(() => ({
    datasets: undefined,
    choice: 'parquet',
    layout: 'prediction',
    partition: '',
    model: '',
    filters,
  }))
  const form: ExportForm = { ...fields, datasets: fields.datasets ?? offered(datasets, filters?.equals?.dataset_name) }
  const { data: facets } = useQuery(facetsQuery(workspace.id, {}))
  const run = useExport(form, datasets, abort, onClose)
  const set = (change: Partial<Fields>): void => setForm((before) => ({ ...before, ...change }))
  const values = (column: 'partition' | 'model_name'): string[] => facets?.facets[column]?.values.map(({ value }) => value ?? '') ?? []
  return (
    <Dialog
      open
      onClose={onClose}
      title={text.export.title}
      wide
      footer={<Footer form={form} datasets={datasets} run={run} onClose={onClose} />}
    >
      <div className="grid grid-cols-1 gap-5 sm:grid-cols-2">
        <DatasetPicker datasets={datasets} chosen={form.datasets} onChange={(names) => set({ datasets: names })} />
        <div className="grid content-start gap-4">
          <ChoiceField
            title={text.export.format}
            name="format"
            value={form.choice}
            options={exportChoices.map((value) => ({ value, label: text.export.formats[value], hint: text.export.formatHints[value] }))}
            onChange={(choice) => set({ choice })}
          />
          <ChoiceField
            title={text.export.layout}
            name="layout"
            value={form.layout}
            options={layouts.map((value) => ({ value, label: text.export.layouts[value], hint: text.export.layoutHints[value] }))}
            onChange={(layout) => set({ layout })}
          />
          <div className="grid grid-cols-2 gap-3">
            <SelectField
              title={text.export.partition}
              value={form.partition}
              values={values('partition')}
              onChange={(partition) => set({ partition })}
            />
            <SelectField title={text.export.model} value={form.model} values={values('model_name')} onChange={(model) => set({ model })} />
          </div>
          {filters === undefined ? null : (
            <label className="flex items-center gap-2">
              <input
                type="checkbox"
                checked={form.filters !== undefined}
                onChange={(event) => set({ filters: event.target.checked ? filters : undefined })}
                className="size-4 accent-(--accent)"
              />
              {text.export.useFilters}
            </label>
          )}
        </div>
      </div>
      {run.error === undefined ? null : (
        <p role="alert" className="mt-4 rounded-md bg-danger-soft px-3 py-2">
          <strong className="text-danger">{text.export.failed}.</strong> {run.error}
        </p>
      )}
    </Dialog>
  )
}

interface Run {
  /** Bytes received so far; undefined while nothing runs. */
  readonly received: number | undefined
  readonly error: string | undefined
  readonly start: () => void
}

const useExport = (form: ExportForm, datasets: readonly ExportDataset[], abort: ReadyProps['abort'], onDone: () => void): Run => {
  const text = useText()
  const workspace = useWorkspace()
  const [received, setReceived] = useState<number>()
  const [error, setError] = useState<string>()
  const download = async (): Promise<void> => {
    setError(undefined)
    setReceived(0)
    abort.current = new AbortController()
    try {
      const saved = await downloadExport(workspace.id, exportRequest(form), setReceived, abort.current.signal)
      showToast('success', text.export.saved(saved.name, saved.bytes))
      onDone()
    } catch (cause) {
      if (!abort.current.signal.aborted)
        setError(cause instanceof CutOff ? text.export.cutOff(cause.received) : cause instanceof Error ? cause.message : String(cause))
    } finally {
      setReceived(undefined)
    }
  }
  const start = (): void => {
    // The browser would not show what the server says of a file that cannot be read.
    const doubtful = datasets.some(({ name, unreadable }) => unreadable && form.datasets.includes(name))
    const url = doubtful ? undefined : directUrl(form, workspace.id)
    if (url === undefined) return void download()
    clickLink(url, '')
    onDone()
  }
  return { received, error, start }
}

const Footer = ({
  form,
  datasets,
  run,
  onClose,
}: {
  form: ExportForm
  datasets: readonly ExportDataset[]
  run: Run
  onClose: () => void
}) => {
  const text = useText()
  const format = useFormat()
  const chosen = datasets.filter((dataset) => form.datasets.includes(dataset.name))
  const sum = (size: (dataset: ExportDataset) => number): number => chosen.reduce((total, dataset) => total + size(dataset), 0)
  const filtered = form.filters !== undefined || form.partition !== '' || form.model !== ''
  // A sum with a part unknown would be too small to be of use.
  const bytes = chosen.some((dataset) => dataset.bytes === undefined) ? '' : format.bytes(sum((dataset) => dataset.bytes ?? 0))
  const about = chosen.some((dataset) => dataset.estimated) ? '≈ ' : ''
  return (
    <>
      <p aria-live="polite" className="flex-1 text-muted">
        {run.received !== undefined ? (
          <span title={format.int(run.received)}>{run.received === 0 ? text.export.preparing : text.export.progress(run.received)}</span>
        ) : chosen.length === 0 ? (
          text.export.nothing
        ) : (
          <>
            {text.export.summary(
              chosen.length,
              sum((dataset) => dataset.predictions),
              bytes === '' ? '' : about + bytes,
            )}
            {filtered ? ` (${text.export.filtered})` : ''}
          </>
        )}
      </p>
      <Button onClick={onClose}>{text.common.cancel}</Button>
      <Button tone="primary" disabled={chosen.length === 0 || run.received !== undefined} onClick={run.start}>
        <Download size={16} aria-hidden /> {text.export.start}
      </Button>
    </>
  )
}
