import type { SourceTables } from '../migration/source-tables.ts'
import { sourceAlias } from '../migration/source-tables.ts'
import { arrivals } from './count-merge.ts'
import type { OpenMerge } from './open-merge.ts'
import { ofSource } from './source-views.ts'

const columns = [
  { name: 'prediction_id', type: 'VARCHAR' },
  { name: 'branch_name', type: 'VARCHAR' },
  { name: 'refit_context', type: 'VARCHAR' },
  { name: 'created_at', type: 'TIMESTAMP' },
]

/** What the summary of a file takes from the metadata, under the name by which `summariseFile` looks for a store. */
export const summaryTables: SourceTables = new Map([['predictions', columns]])

/** Puts the predictions of the target and those that come into the table that `summaryTables` describes. */
export const fillSummaryRows = async ({ engine, sources }: OpenMerge): Promise<void> => {
  const names = columns.map(({ name }) => name).join(', ')
  await engine.run(`ATTACH ':memory:' AS ${sourceAlias}`)
  await engine.run(`CREATE TABLE ${sourceAlias}.main.predictions AS SELECT ${names} FROM target_catalog.main.predictions`)
  for (const { index } of sources) {
    await engine.run(`INSERT INTO ${sourceAlias}.main.predictions SELECT a.new_id, p.branch_name, p.refit_context, p.created_at
      FROM ${arrivals(index)} a JOIN ${ofSource(index, 'predictions')} p ON p.prediction_id = a.id`)
  }
}
