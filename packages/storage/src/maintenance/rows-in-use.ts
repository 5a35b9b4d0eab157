import { join } from 'node:path'
import { StorageError } from '../errors.ts'
import type { Contents } from '../trash/trash-manifest.ts'
import { inTableOrder, isConvention, isOfStore, type MetadataStore, type SavedRows, type TableKeys } from './metadata-store.ts'

/** What a removal that is carried through later removes of what its trash holds, and what stays. */
export interface Division {
  readonly goes: readonly TableKeys[]
  readonly stays: readonly TableKeys[]
}

/**
 * Since a removal was stopped others may have changed rows of it, or made some that refer to them. Those stay, and whatever they refer to:
 * what the trash does not hold must not go.
 */
export const divideRows = async (metadata: MetadataStore, { tables }: Contents, folder: string): Promise<Division> => {
  const going = new Map(tables.map(({ table, keys }) => [table, new Set(keys)]))
  const saved: SavedRows[] = tables.map(({ table, file, keys }) => ({ table, keys, path: join(folder, file) }))
  // Children first: a row that stays keeps those that it refers to.
  const parts = inTableOrder(metadata.shapes, saved).reverse()
  const ofPart = ({ table }: TableKeys) => going.get(table) ?? new Set()
  for (const part of parts) for (const key of await rowsToKeep(metadata, part)) ofPart(part).delete(key)
  // Again until nothing more stays: rows may refer to some of their own table, and tables to each other.
  for (let hasMore = true; hasMore; ) {
    hasMore = false
    for (const part of parts) {
      const own = ofPart(part)
      for (const key of await rowsInUse(metadata, { table: part.table, keys: [...own] }, going)) hasMore = own.delete(key) || hasMore
    }
  }
  const stays = parts.map((part) => ({ table: part.table, keys: part.keys.filter((key) => !ofPart(part).has(key)).sort() }))
  return {
    goes: tables.map(({ table }) => ({ table, keys: [...(going.get(table) ?? [])] })),
    stays: stays.filter(({ keys }) => keys.length > 0),
  }
}

/**
 * Rows that are no longer what the trash holds; all that are there where something would go with them, or where the trash has them as
 * another kind of store writes them.
 */
const rowsToKeep = async (metadata: MetadataStore, part: SavedRows): Promise<string[]> => {
  const shape = metadata.shapes.get(part.table)
  const isAlone = shape?.deleteTriggers.length === 0
  return isAlone && isOfStore(metadata, part.path)
    ? metadata.changedRows(part)
    : metadata.keysWhere(part.table, shape?.key ?? '', part.keys)
}

/** Of these rows those to which rows refer that do not go. */
const rowsInUse = async (
  metadata: MetadataStore,
  { table, keys }: TableKeys,
  going: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<string[]> => {
  const used: string[] = []
  for (const child of metadata.shapes.values()) {
    for (const reference of child.foreignKeys) {
      if (reference.table === table)
        used.push(...(await metadata.referredTo(child.name, reference, keys, going.get(child.name) ?? new Set())))
    }
  }
  return used
}

/**
 * Refuses to remove rows that the store would not let go: those to which others refer that do not go with them, since their table has no
 * key by which the trash could keep them, or nobody knows that they belong to what goes; and those of a table on whose removals a trigger
 * works. Throws `store_unsafe`.
 */
export const refuseRowsInUse = async (metadata: MetadataStore, tables: readonly TableKeys[]): Promise<void> => {
  const going = new Map(tables.map(({ table, keys }) => [table, new Set(keys)]))
  for (const { table, keys } of tables) {
    const [trigger] = metadata.shapes.get(table)?.deleteTriggers ?? []
    if (trigger !== undefined && keys.length > 0) throw triggered(trigger, table)
  }
  for (const child of metadata.shapes.values()) {
    for (const reference of child.foreignKeys) {
      const keys = [...(going.get(reference.table) ?? [])]
      if (keys.length === 0 || !reference.isEnforced || isConvention(child.name, reference)) continue
      const used = await metadata.referredTo(child.name, reference, keys, going.get(child.name) ?? new Set())
      if (used.length > 0) throw inUse(child.name, reference.table, used)
    }
  }
}

const inUse = (child: string, table: string, ids: readonly string[]) =>
  new StorageError(
    'store_unsafe',
    `Rows of the table ${JSON.stringify(child.slice(0, 200))} refer to ${table} that would go, and cannot be kept in the trash with them. Nothing was changed.`,
    { ids: ids.slice(0, 100), hint: 'Remove those rows with the program that made them, then look at a new preview.' },
  )

const triggered = (trigger: string, table: string) =>
  new StorageError(
    'store_unsafe',
    `The trigger ${JSON.stringify(trigger.slice(0, 200))} runs when rows of ${table} go; what it changes would not be in the trash. Nothing was changed.`,
    { hint: 'Remove the trigger with the program that made it, then look at a new preview.' },
  )

/** What stayed, in words. */
export const warningsOfStaying = ({ stays }: Division): string[] =>
  stays.map(({ table, keys }) => {
    const named = `${keys.slice(0, 10).join(', ')}${keys.length > 10 ? ', …' : ''}`
    return `These rows of ${table} stay, since others have changed or use them by now: ${named}. The trash holds them as they were.`
  })
