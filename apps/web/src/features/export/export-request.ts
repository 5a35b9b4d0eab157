import type { ExportRequest, PredictionFilter } from '@nirs-workspace/types'
import { apiUrl } from '../../api/client.ts'

export const exportChoices = ['parquet', 'zip', 'csv', 'csv-excel-fr', 'arrow'] as const
export type ExportChoice = (typeof exportChoices)[number]
export const layouts = ['prediction', 'sample'] as const
export type Layout = (typeof layouts)[number]

/** What the dialog's fields say. */
export interface ExportForm {
  readonly datasets: readonly string[]
  readonly choice: ExportChoice
  readonly layout: Layout
  /** Undefined = any; the empty text is a value as others are. */
  readonly partition: string | undefined
  readonly model: string | undefined
  /** The table's filters, when they are to apply. */
  readonly filters: Partial<PredictionFilter> | undefined
}

export type Narrowed = 'partition' | 'model_name'

/** The values that the table's own filter leaves of a column; undefined when it leaves all. */
export const tableValues = (filters: ExportForm['filters'], column: Narrowed): readonly string[] | undefined => filters?.equals?.[column]

/** A choice among what the table shows; one that it does not show would contradict it, and counts as none. */
export const withinTable = (choice: string | undefined, shown: readonly string[] | undefined): string | undefined =>
  choice === undefined || shown?.includes(choice) === false ? undefined : choice

/** As `exportRequest`, of all datasets. */
export const countRequest = (form: ExportForm): ExportRequest => {
  const { dataset_names: _, ...rest } = exportRequest(form)
  return rest
}

/** Whether it takes some rows of a dataset and leaves others. */
export const isPartial = (form: ExportForm): boolean => isFiltered(form) || form.layout === 'sample'

const isFiltered = (form: ExportForm): boolean => form.filters !== undefined || form.partition !== undefined || form.model !== undefined

export const exportRequest = (form: ExportForm): ExportRequest => {
  const equals = {
    ...form.filters?.equals,
    ...(form.partition === undefined ? {} : { partition: [form.partition] }),
    ...(form.model === undefined ? {} : { model_name: [form.model] }),
  }
  return {
    dataset_names: [...form.datasets],
    format: form.choice === 'csv-excel-fr' ? 'csv' : form.choice,
    layout: form.layout,
    csv_dialect: form.choice === 'csv-excel-fr' ? 'excel-fr' : 'plain',
    ...(isFiltered(form) ? { filters: { ...form.filters, equals } } : {}),
  }
}

/** Address of a plain download, which the browser takes care of; undefined when the request says more than an address can. */
export const directUrl = (form: ExportForm, workspace: string): string | undefined => {
  const [dataset] = form.datasets
  if (form.datasets.length !== 1 || dataset === undefined || form.filters !== undefined) return undefined
  if (form.choice !== 'parquet' || form.layout !== 'prediction') return undefined
  return apiUrl(`/aggregated-predictions/export/${encodeURIComponent(dataset)}.parquet`, {
    workspace,
    partition: form.partition,
    model_name: form.model,
  })
}

/** The file name of a Content-Disposition header, RFC 5987 form first. */
export const fileNameOf = (header: string | null, fallback: string): string => {
  const encoded = header?.match(/filename\*\s*=\s*UTF-8''([^;]+)/i)?.[1]
  if (encoded !== undefined) return decodeURIComponent(encoded.trim())
  return header?.match(/filename\s*=\s*"([^"]+)"/i)?.[1] ?? fallback
}
