import type { MetadataStore, SavedRows, TableShape } from '../maintenance/metadata-store.ts'

/** A row of the trash that names a parent which is not there, neither in the store nor among what comes back with it. */
export interface MissingParent {
  readonly table: string
  readonly key: string
  /** Where the parent would be, and which one it is. */
  readonly parent: string
  readonly id: string
  /** Whether the store itself refuses such a row. */
  readonly isEnforced: boolean
}

/** Of rows that come back together those whose parents are missing. Rows whose key is there already do not come back and need none. */
export const findMissingParents = async (metadata: MetadataStore, rows: readonly SavedRows[]): Promise<MissingParent[]> => {
  const missing: MissingParent[] = []
  for (const part of rows) {
    const shape = metadata.shapes.get(part.table)
    if (shape === undefined || shape.key === null || shape.parents.length === 0) continue
    const there = new Set(await metadata.keysWhere(part.table, shape.key, part.keys))
    const coming = new Set(part.keys.filter((key) => !there.has(key)))
    const links = (await metadata.readLinks(part.table, part.path)).filter((row) => coming.has(row.get(shape.key ?? '') ?? ''))
    for (const parent of shape.parents) missing.push(...(await missingOf(metadata, rows, shape, parent, links)))
  }
  return missing
}

const missingOf = async (
  metadata: MetadataStore,
  rows: readonly SavedRows[],
  { name, key }: TableShape,
  { column, table, isEnforced }: TableShape['parents'][number],
  links: readonly ReadonlyMap<string, string | null>[],
): Promise<MissingParent[]> => {
  const parentKey = metadata.shapes.get(table)?.key
  if (typeof parentKey !== 'string') return []
  const known = new Set(rows.filter((part) => part.table === table).flatMap(({ keys }) => keys))
  const named = links.flatMap((row) => {
    const id = row.get(column) ?? null
    return id === null || known.has(id) ? [] : [{ table: name, key: row.get(key ?? '') ?? '', parent: table, id, isEnforced }]
  })
  const there = new Set(await metadata.keysWhere(table, parentKey, [...new Set(named.map(({ id }) => id))]))
  return named.filter(({ id }) => !there.has(id))
}
