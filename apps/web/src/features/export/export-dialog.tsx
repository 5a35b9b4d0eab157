import type { ExportCount, PredictionFilter } from '@nirs-workspace/types'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo, useRef, useState } from 'react'
import { exportCountQuery } from '../../api/queries.ts'
import { useWorkspace } from '../../api/workspace.tsx'
import { showToast } from '../../stores/toast.ts'
import { useErrorText } from '../../text/error-text.ts'
import { useText } from '../../text/text.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorMessage, Loading, Skeleton } from '../../ui/states.tsx'
import { ChoiceField } from './choice-field.tsx'
import { DatasetPicker } from './dataset-picker.tsx'
import { CutOff, clickLink, downloadExport } from './download.ts'
import { type ExportDataset, offered, useExportDatasets } from './export-datasets.ts'
import { type Counts, ExportFooter, type Run } from './export-footer.tsx'
import {
  countRequest,
  directUrl,
  type ExportForm,
  exportChoices,
  exportRequest,
  layouts,
  tableValues,
  withinTable,
} from './export-request.ts'
import { exportWarnings } from './export-warnings.ts'
import { NarrowField } from './narrow-field.tsx'

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
    partition: undefined,
    model: undefined,
    filters,
  }))
  const shown = { partition: tableValues(fields.filters, 'partition'), model: tableValues(fields.filters, 'model_name') }
  const form: ExportForm = {
    ...fields,
    datasets: fields.datasets ?? offered(datasets, filters?.equals?.dataset_name),
    partition: withinTable(fields.partition, shown.partition),
    model: withinTable(fields.model, shown.model),
  }
  const { data: count } = useQuery(exportCountQuery(workspace.id, countRequest(form)))
  const counts = useMemo(() => countsOf(count), [count])
  const run = useExport(form, datasets, counts, abort, onClose)
  const set = (change: Partial<Fields>): void => setForm((before) => ({ ...before, ...change }))
  const warnings = count === undefined ? [] : exportWarnings(count, form, text)
  return (
    <Dialog
      open
      onClose={onClose}
      title={text.export.title}
      wide
      footer={<ExportFooter form={form} datasets={datasets} counts={counts} warnings={warnings} run={run} onClose={onClose} />}
    >
      <div className="grid grid-cols-1 gap-5 sm:grid-cols-2">
        <DatasetPicker datasets={datasets} chosen={form.datasets} counts={counts} onChange={(names) => set({ datasets: names })} />
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
            <NarrowField
              column="partition"
              title={text.export.partition}
              value={form.partition}
              shown={shown.partition}
              onChange={(partition) => set({ partition })}
            />
            <NarrowField
              column="model_name"
              title={text.export.model}
              value={form.model}
              shown={shown.model}
              onChange={(model) => set({ model })}
            />
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

/** Predictions of each dataset that the form takes, once the server has counted them. */
const countsOf = (count: ExportCount | undefined): Counts =>
  count && new Map(count.datasets.map(({ dataset_name, predictions }) => [dataset_name, predictions]))

const useExport = (
  form: ExportForm,
  datasets: readonly ExportDataset[],
  counts: Counts,
  abort: ReadyProps['abort'],
  onDone: () => void,
): Run => {
  const text = useText()
  const errorText = useErrorText()
  const workspace = useWorkspace()
  const client = useQueryClient()
  const [received, setReceived] = useState<number>()
  const [error, setError] = useState<string>()
  /** An archive says them in its manifest and a plain download in a header, where nobody would look. */
  const warn = async (): Promise<void> => {
    const count = await client.ensureQueryData(exportCountQuery(workspace.id, countRequest(form))).catch(() => undefined)
    const warnings = count === undefined ? [] : exportWarnings(count, form, text)
    if (warnings.length > 0) showToast('warning', text.export.warned(warnings.join(' ')))
  }
  const download = async (): Promise<void> => {
    setError(undefined)
    setReceived(0)
    abort.current = new AbortController()
    try {
      const saved = await downloadExport(workspace.id, exportRequest(form), setReceived, abort.current.signal)
      showToast('success', text.export.saved(saved.name, saved.bytes))
      await warn()
      onDone()
    } catch (cause) {
      if (!abort.current.signal.aborted) setError(cause instanceof CutOff ? text.export.cutOff(cause.received) : errorText(cause))
    } finally {
      setReceived(undefined)
    }
  }
  const start = (): void => {
    // The browser would not show what the server says of a file that cannot be read, or of one without rows.
    const doubtful = counts === undefined || datasets.some(({ name, unreadable }) => unreadable && form.datasets.includes(name))
    const url = doubtful ? undefined : directUrl(form, workspace.id)
    if (url === undefined) return void download()
    clickLink(url, '')
    void warn()
    onDone()
  }
  return { received, error, start }
}
