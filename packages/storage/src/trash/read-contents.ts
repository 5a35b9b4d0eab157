import { join } from 'node:path'
import * as z from 'zod'
import { escapeGlob } from '../arrays/pin-file.ts'
import { quotedString } from '../engine/attach-store.ts'
import { withEngine } from '../engine/open-engine.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import { Contents, readJson, readManifest, type TrashManifest } from './trash-manifest.ts'
import { trashPlaces } from './trash-places.ts'

/** Ids of everything that an operation has kept. A merge keeps predictions and writes no list of them: theirs are read from its files. */
export const readContents = async (layout: Layout, operation: string): Promise<Contents> => {
  const found = await readJson(trashPlaces(layout, operation).contents, Contents)
  return found ?? listFiles(layout, await readManifest(layout, operation))
}

const Id = z.object({ id: z.string() })

const listFiles = (layout: Layout, manifest: TrashManifest): Promise<Contents> =>
  withEngine({}, async (engine) => {
    const { folder } = trashPlaces(layout, manifest.operation_id)
    const idsIn = async (paths: readonly string[]): Promise<string[]> => {
      if (paths.length === 0) return []
      const list = paths.map((path) => quotedString(escapeGlob(join(folder, path)))).join(', ')
      const rows = await engine.rows(
        Id,
        `SELECT DISTINCT prediction_id AS id FROM read_parquet([${list}], hive_partitioning = false, union_by_name = true) ORDER BY 1`,
      )
      return rows.map(({ id }) => id)
    }
    const files = manifest.files.map(({ path }) => path)
    const keys = await idsIn(files.filter((path) => path === 'predictions.parquet'))
    return {
      tables: keys.length === 0 ? [] : [{ table: 'predictions', file: 'predictions.parquet', keys }],
      arrays: await idsIn(files.filter((path) => path.startsWith('arrays/'))),
      datasets: [],
      files: [],
    }
  })
