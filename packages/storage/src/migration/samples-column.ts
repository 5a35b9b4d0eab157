import { quotedIdentifier } from '../engine/attach-store.ts'
import type { RowBlock } from '../parquet/column-block.ts'
import { selectOr } from './array-columns.ts'
import { hasColumn, type SourceTables } from './source-tables.ts'

/** How many samples the store says that a prediction has: read beside its arrays to be compared with them, not written. */
export const samplesColumn = 'nirs_workspace_samples'

/** As an expression over its row `p` of the table predictions, whatever that has. */
export const samplesSql = (tables: SourceTables): string =>
  selectOr(hasColumn(tables, 'predictions', 'n_samples'), `p.${quotedIdentifier('n_samples')}`, samplesColumn, 'INTEGER')

export const withoutSamples = (block: RowBlock): RowBlock => block.filter(({ name }) => name !== samplesColumn)
