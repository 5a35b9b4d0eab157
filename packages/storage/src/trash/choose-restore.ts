import { join } from 'node:path'
import { StorageError } from '../errors.ts'
import { inTableOrder, type MetadataStore } from '../maintenance/metadata-store.ts'
import type { Contents } from './trash-manifest.ts'

/**
 * The part of an operation that single items need: rows with one of the ids, what refers to those that are no predictions, what all of them
 * refer to, and their arrays. Throws `trash_not_found` for an id that the operation has not kept.
 */
export const chooseItems = async (metadata: MetadataStore, folder: string, left: Contents, ids: readonly string[]): Promise<Contents> => {
  const tables = inTableOrder(metadata.shapes, left.tables)
  const wanted = new Set(ids)
  const chosen = new Map(tables.map(({ table, keys }) => [table, new Set(keys.filter((key) => wanted.has(key)))] as const))
  const arrays = new Set(left.arrays.filter((id) => wanted.has(id)))
  refuseUnknown(ids, chosen, arrays)
  const links = new Map<string, ReadonlyMap<string, string | null>[]>()
  for (const { table, file } of tables) links.set(table, await metadata.readLinks(table, join(folder, file)))
  for (const { table, keys } of tables) addChildren(metadata, table, links.get(table) ?? [], new Set(keys), chosen)
  for (const { table } of [...tables].reverse()) addParents(metadata, table, links.get(table) ?? [], tables, chosen)
  const predictions = chosen.get('predictions') ?? new Set()
  return {
    tables: tables.map(({ table, file }) => ({ table, file, keys: [...(chosen.get(table) ?? [])] })).filter(({ keys }) => keys.length > 0),
    arrays: left.arrays.filter((id) => arrays.has(id) || predictions.has(id)),
    datasets: [],
    // Models are kept under the names of their files: with one row of them all files come back.
    files: (chosen.get('artifacts')?.size ?? 0) > 0 ? left.files : [],
  }
}

type Links = readonly ReadonlyMap<string, string | null>[]
type Chosen = ReadonlyMap<string, Set<string>>

/** Rows of a table that refer to a chosen row; parents have had their turn. */
const addChildren = (metadata: MetadataStore, table: string, links: Links, kept: ReadonlySet<string>, chosen: Chosen): void => {
  const shape = metadata.shapes.get(table)
  for (const row of links) {
    const key = row.get(shape?.key ?? '') ?? null
    if (key === null || !kept.has(key)) continue
    const isWanted = shape?.parents.some(({ column, table: parent }) => chosen.get(parent)?.has(row.get(column) ?? '') === true)
    if (isWanted === true) chosen.get(table)?.add(key)
  }
}

/** Rows that a chosen row of the table refers to, as far as the operation has kept them. */
const addParents = (metadata: MetadataStore, table: string, links: Links, tables: Contents['tables'], chosen: Chosen): void => {
  const shape = metadata.shapes.get(table)
  const own = chosen.get(table) ?? new Set()
  for (const { column, table: parent } of shape?.parents ?? []) {
    const kept = new Set(tables.find((part) => part.table === parent)?.keys ?? [])
    for (const row of links) {
      const value = row.get(column) ?? null
      if (value !== null && kept.has(value) && own.has(row.get(shape?.key ?? '') ?? '')) chosen.get(parent)?.add(value)
    }
  }
}

const refuseUnknown = (ids: readonly string[], chosen: Chosen, arrays: ReadonlySet<string>): void => {
  const unknown = ids.filter((id) => !arrays.has(id) && ![...chosen.values()].some((keys) => keys.has(id)))
  if (unknown.length === 0) return
  throw new StorageError(
    'trash_not_found',
    `The operation has not kept, or has restored already, ${(unknown[0] ?? '').slice(0, 200)}${unknown.length > 1 ? ` and ${unknown.length - 1} more` : ''}. Nothing was restored.`,
    { ids: unknown.slice(0, 100), hint: 'Restore without naming items, or look at what the operation holds.' },
  )
}
