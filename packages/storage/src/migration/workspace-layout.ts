import { join } from 'node:path'
import { StorageError } from '../errors.ts'
import { JobId } from '../files/inside-names.ts'

/** Where everything that a migration reads, writes or leaves behind has its place. */
export interface Layout {
  readonly root: string
  readonly store: string
  readonly wal: string
  /** What nirs4all 0.8.4 and later make of a store.duckdb, which they keep under the other name. */
  readonly converted: { readonly sqlite: string; readonly kept: string }
  readonly arrays: string
  /** `.nirs-workspace/`: journal, lock, proofs. */
  readonly control: string
  readonly journal: string
  readonly migrations: string
}

export const layoutOf = (root: string): Layout => {
  const control = join(root, '.nirs-workspace')
  return {
    root,
    store: join(root, 'store.duckdb'),
    wal: join(root, 'store.duckdb.wal'),
    converted: { sqlite: join(root, 'store.sqlite'), kept: join(root, 'store.duckdb.bak') },
    arrays: join(root, 'arrays'),
    control,
    journal: join(control, 'journal.json'),
    migrations: join(control, 'migrations'),
  }
}

/** Folders and files that belong to one job alone, so that they can be removed as a whole. */
export interface JobPlaces {
  readonly staging: string
  readonly newStore: string
  readonly folder: string
  readonly replaced: string
  readonly quarantine: string
  readonly proof: string
}

export const placesOf = (layout: Layout, jobId: string): JobPlaces => {
  if (!JobId.safeParse(jobId).success)
    throw new StorageError('validation', 'This is not the id of a job. Nothing was changed.', {
      hint: 'An id is letters, digits, - and _.',
    })
  const folder = join(layout.migrations, jobId)
  return {
    staging: join(layout.arrays, `.staging-${jobId}`),
    newStore: join(layout.root, `store.duckdb.${jobId}.new`),
    folder,
    replaced: join(folder, 'replaced'),
    quarantine: join(folder, 'quarantine.parquet'),
    proof: join(folder, 'migration-proof.json'),
  }
}

/** `YYYYMMDDTHHMMSSZ`, as it stands in the names of backups. */
export const compactTime = (time: Date): string => time.toISOString().replace(/[-:]|\.\d+/g, '')
