import * as z from 'zod'
import { storeTableNames } from '../catalog/catalog-schema.ts'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'

const expectedTables: readonly string[] = [...storeTableNames, 'prediction_arrays']
const Name = z.object({ name: z.string() })

/**
 * Refuses (`store_unsafe`) a store that holds macros, or a view where a table is expected: such a view could read any file and never end,
 * such a macro could answer in the name of a built-in function. The views that nirs4all makes are fine, and never read.
 */
export const checkStore = async (engine: Engine, alias: string): Promise<void> => {
  const macros = await engine.rows(
    Name,
    "SELECT DISTINCT function_name AS name FROM duckdb_functions() WHERE database_name = $alias AND function_type LIKE '%macro' AND NOT internal",
    { alias },
  )
  const views = await engine.rows(Name, 'SELECT view_name AS name FROM duckdb_views() WHERE database_name = $alias AND NOT internal', {
    alias,
  })
  const posing = views.filter(({ name }) => expectedTables.includes(name.toLowerCase()))
  if (macros.length > 0) throw unsafe(`the macro ${macros[0]?.name}`)
  if (posing.length > 0) throw unsafe(`a view instead of the table ${posing[0]?.name}`)
}

/** As `checkStore`, for the objects of a store.sqlite. */
export const checkSqliteObjects = (objects: readonly { name: string; isView: boolean }[]): void => {
  const posing = objects.find(({ name, isView }) => isView && expectedTables.includes(name.toLowerCase()))
  if (posing !== undefined) throw unsafe(`a view instead of the table ${posing.name}`)
}

const unsafe = (what: string) =>
  new StorageError('store_unsafe', `The store holds ${what}, which no nirs4all release writes. It was not read any further.`, {
    hint: 'Ask whoever gave you this workspace for an untouched copy.',
  })
