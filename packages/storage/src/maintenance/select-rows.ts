import { appendColumns } from '../engine/append-columns.ts'
import { refuseUnreadable } from './damaged-files.ts'
import { idsOf, type OpenWorkspace, storeAlias } from './maintenance-workspace.ts'
import { parentsFirst, type TableKeys } from './metadata-store.ts'
import type { ArtifactFileToGo, Selection } from './selection.ts'

export interface SelectOptions {
  /** Rows to begin with. */
  readonly seeds: readonly TableKeys[]
  /** Chains and pipelines whose last prediction goes, go as well; with `runs` also runs whose last pipeline does. */
  readonly prune?: 'nothing' | 'pipelines' | 'runs'
  /** Predictions unknown to the metadata whose arrays go. */
  readonly orphans?: readonly string[]
  readonly datasets?: readonly string[]
  readonly files?: readonly ArtifactFileToGo[]
}

/**
 * Everything that has to go with the seeds: rows that refer to them, through as many tables as there are, and the arrays of predictions.
 * Throws `arrays_corrupt` when those of a prediction may be in a file that cannot be read.
 */
export const selectRows = async (open: OpenWorkspace, options: SelectOptions): Promise<Selection> => {
  const { prune = 'nothing', orphans = [], datasets = [], files = [] } = options
  let tables = await closeOver(open, options.seeds)
  if (prune !== 'nothing') tables = await closeOver(open, [...tables, ...(await findEmptied(open, tables, prune))])
  const predictions = tables.find(({ table }) => table === 'predictions')?.keys ?? []
  const arrays = await withArrays(open, [...predictions, ...orphans], datasets)
  refuseUnreadable(open.index, await datasetsWithoutArrays(open))
  return { tables, arrays, datasets, files }
}

/** Datasets of chosen predictions of which no file that can be read has arrays. */
const datasetsWithoutArrays = (open: OpenWorkspace): Promise<string[]> =>
  idsOf(
    open,
    `SELECT DISTINCT dataset_name AS id FROM ${main('predictions')} WHERE prediction_id IN (SELECT id FROM chosen_ids)
       AND prediction_id NOT IN (SELECT prediction_id FROM array_rows) ORDER BY 1`,
  )

const closeOver = async ({ metadata }: OpenWorkspace, seeds: readonly TableKeys[]): Promise<TableKeys[]> => {
  const chosen = new Map<string, Set<string>>()
  for (const { table, keys } of seeds) {
    const own = chosen.get(table) ?? new Set()
    for (const key of keys) own.add(key)
    chosen.set(table, own)
  }
  for (const shape of parentsFirst(metadata.shapes)) {
    const own = chosen.get(shape.name) ?? new Set<string>()
    for (const { column, table } of shape.parents) {
      const parents = [...(chosen.get(table) ?? [])]
      for (const key of await metadata.keysWhere(shape.name, column, parents)) own.add(key)
    }
    if (own.size > 0) chosen.set(shape.name, own)
  }
  return [...chosen].map(([table, keys]) => ({ table, keys: [...keys].sort() }))
}

const fillGoing = async ({ engine }: OpenWorkspace, tables: readonly TableKeys[]): Promise<void> => {
  await engine.run('CREATE OR REPLACE TEMP TABLE going (tbl VARCHAR, id VARCHAR)')
  for (const { table, keys } of tables) {
    await appendColumns(engine, { alias: 'temp', table: 'going' }, [
      { type: 'varchar', values: keys.map(() => table) },
      { type: 'varchar', values: keys },
    ])
  }
}

const goes = (table: string) => `SELECT id FROM going WHERE tbl = '${table}'`
const main = (table: string) => `${storeAlias}.main.${table}`

/** Chains that had predictions and have none left, then pipelines that had chains or predictions and have none left, then runs. */
const findEmptied = async (open: OpenWorkspace, tables: readonly TableKeys[], prune: 'pipelines' | 'runs'): Promise<TableKeys[]> => {
  await fillGoing(open, tables)
  const emptied: TableKeys[] = []
  const find = async (table: string, key: string, children: readonly string[]) => {
    const of = children.map(
      (child) => `SELECT ${key} AS id, ${keyOf(child)} AS own, '${child}' AS tbl FROM ${main(child)} WHERE ${key} IS NOT NULL`,
    )
    const ids = await idsOf(
      open,
      `SELECT c.id AS id FROM (${of.join(' UNION ALL ')}) c LEFT JOIN going g ON g.tbl = c.tbl AND g.id = c.own
       WHERE c.id NOT IN (${goes(table)}) GROUP BY c.id HAVING count(*) = count(g.id) ORDER BY 1`,
    )
    emptied.push({ table, keys: ids })
    await appendColumns(open.engine, { alias: 'temp', table: 'going' }, [
      { type: 'varchar', values: ids.map(() => table) },
      { type: 'varchar', values: ids },
    ])
  }
  await find('chains', 'chain_id', ['predictions'])
  await find('pipelines', 'pipeline_id', ['chains', 'predictions'])
  if (prune === 'runs') await find('runs', 'run_id', ['pipelines'])
  return emptied
}

/** Once `selectRows` has chosen: the predictions that the store keeps. */
export const stayingIds = `SELECT prediction_id FROM ${main('predictions')} WHERE prediction_id NOT IN (SELECT id FROM chosen_ids)`

const keyOf = (table: string): string => `${table.replace(/s$/, '')}_id`

/**
 * Which of these predictions have arrays, and whatever else the files hold of datasets that go as a whole, but for what belongs to
 * predictions that stay. Those that are removed already count when the metadata knows them: compaction would keep them.
 */
const withArrays = async (open: OpenWorkspace, ids: readonly string[], datasets: readonly string[]): Promise<string[]> => {
  const { engine } = open
  await engine.run('CREATE OR REPLACE TEMP TABLE chosen_ids (id VARCHAR)')
  await appendColumns(engine, { alias: 'temp', table: 'chosen_ids' }, [{ type: 'varchar', values: ids }])
  await engine.run('CREATE OR REPLACE TEMP TABLE chosen_datasets (name VARCHAR)')
  await appendColumns(engine, { alias: 'temp', table: 'chosen_datasets' }, [{ type: 'varchar', values: datasets }])
  return idsOf(
    open,
    `SELECT DISTINCT prediction_id AS id FROM array_rows
     WHERE (NOT removed OR prediction_id IN (SELECT prediction_id FROM ${main('predictions')}))
       AND (prediction_id IN (SELECT id FROM chosen_ids)
         OR dataset_name IN (SELECT name FROM chosen_datasets) AND prediction_id NOT IN (${stayingIds})) ORDER BY 1`,
  )
}
