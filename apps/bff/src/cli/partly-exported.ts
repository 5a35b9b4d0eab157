import { quotedNames, StorageError } from '@nirs-workspace/storage'
import type { ErrorCode, ExportedFile } from '@nirs-workspace/types'

export interface FailedDataset {
  readonly dataset_name: string
  readonly code: ErrorCode
  readonly detail: string
}

/** Of several datasets some were written and some were not; with the code of the first of these. */
export class PartlyExported extends StorageError {
  readonly files: readonly ExportedFile[]
  readonly failed: readonly FailedDataset[]

  constructor(asked: readonly string[], files: readonly ExportedFile[], failed: readonly FailedDataset[], cause: StorageError) {
    super(
      cause.code,
      `${written(asked, files)} Not written: ${failed.map(told).join(' ')}`,
      { ...cause.fields, hint: 'Mend what is named and export those datasets alone, or everything again with --force.' },
      cause,
    )
    this.files = files
    this.failed = failed
  }
}

const written = (asked: readonly string[], files: readonly ExportedFile[]): string => {
  if (files.length === 0) return `None of ${asked.length} datasets was written.`
  const names = quotedNames(files.map(({ dataset_name }) => dataset_name))
  return `${files.length} of ${asked.length} datasets ${files.length === 1 ? 'was' : 'were'} written: ${names}.`
}

/** Each alone says that nothing happened, which of all of them is not so. */
const told = ({ dataset_name, detail }: FailedDataset): string =>
  `${JSON.stringify(dataset_name)}: ${detail.replace(/ (Nothing was (changed|written)|No file was kept)\.$/, '')}`
