import type { ErrorCode } from '@nirs-workspace/types'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { checkText } from '../options/check-options.ts'
import { seen } from './store-session.ts'

const tables = {
  runs: ['run_id', 'run_not_found'],
  pipelines: ['pipeline_id', 'pipeline_not_found'],
  chains: ['chain_id', 'chain_not_found'],
  predictions: ['prediction_id', 'prediction_not_found'],
  projects: ['project_id', 'validation'],
  artifacts: ['artifact_id', 'artifact_missing'],
} as const satisfies Record<string, readonly [string, ErrorCode]>

export type KeyedTable = keyof typeof tables
export const keyColumn = (table: KeyedTable): string => tables[table][0]

/** Throws `run_not_found` and the like when the store has no such row. */
export const refuseAbsent = async (engine: Engine, table: KeyedTable, id: string): Promise<void> => {
  checkText(keyColumn(table), id)
  const found = await engine.connection.runAndReadAll(`SELECT 1 FROM ${seen(table)} WHERE ${keyColumn(table)} = $id LIMIT 1`, { id })
  if (found.currentRowCount === 0) throw absent(table, id)
}

interface Named {
  readonly by?: string
  readonly hint?: string
}

/** `by`: who names what is not there. */
export const absent = (table: KeyedTable, id: string, { by, ...hint }: Named = {}): StorageError =>
  new StorageError(
    tables[table][1],
    `The workspace has no ${table.slice(0, -1)} ${id.slice(0, 200)}${by === undefined ? '' : `, which ${by} names`}. Nothing was changed.`,
    { ids: [id], ...hint },
  )
