import { isStorageError } from '../errors.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import { withoutRestored } from './finish-restore.ts'
import { operationsIn } from './list-trash.ts'
import { Contents, noContents, readJson, TrashManifest } from './trash-manifest.ts'
import { trashPlaces } from './trash-places.ts'

export interface TrashPart {
  readonly operation: string
  readonly created_at: string
  /** What of the operation is only in the trash. */
  readonly left: Contents
}

/** What can be restored, the latest removal first. For telling where something is: operations that cannot be read, or list nothing, are left out. */
export const readTrash = async (layout: Layout): Promise<TrashPart[]> => {
  const parts: TrashPart[] = []
  for (const operation of await operationsIn(layout)) {
    const part = await readPart(layout, operation).catch((error: unknown) => {
      if (isStorageError(error, 'trash_damaged')) return null
      throw error
    })
    if (part !== null) parts.push(part)
  }
  return parts.sort((a, b) => (a.created_at < b.created_at ? 1 : a.created_at > b.created_at ? -1 : 0))
}

const readPart = async (layout: Layout, operation: string): Promise<TrashPart | null> => {
  const places = trashPlaces(layout, operation)
  const manifest = await readJson(places.manifest, TrashManifest)
  const contents = await readJson(places.contents, Contents)
  if (manifest === null || contents === null) return null
  const left = withoutRestored(contents, (await readJson(places.restored, Contents)) ?? noContents)
  return { operation, created_at: manifest.created_at, left }
}

/** Of these keys those that an operation has a row of. */
export const keysIn = ({ left }: TrashPart, table: string, keys: readonly string[]): string[] => {
  const kept = new Set(left.tables.filter((part) => part.table === table).flatMap((part) => part.keys))
  return keys.filter((key) => kept.has(key))
}
