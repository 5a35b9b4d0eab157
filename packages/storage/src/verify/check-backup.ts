import type { Finding } from '@nirs-workspace/types'
import { attachedTables } from '../engine/attached-tables.ts'
import type { Engine } from '../engine/open-engine.ts'
import { sourceAlias } from '../migration/source-tables.ts'
import { arraysTable } from '../migration/store-schema.ts'
import { unreadableBackup } from '../workspace/array-findings.ts'
import { backupProblem } from '../workspace/backup-problem.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { backupOrigin } from './check-array-file.ts'
import { checkBlocks, collectTableRows, type Depth, readAllValues } from './check-metadata.ts'

/**
 * Notes the rows of arrays in the store.duckdb.bak of a workspace that has moved to store.sqlite, where they are read from when no file has
 * them; every byte of it when deep. One that cannot be read is a finding.
 */
export const checkBackup = async (engine: Engine, { sqlite, bak }: ResolvedWorkspace, options: Depth): Promise<Finding[]> => {
  if (sqlite === null || bak === null) return []
  try {
    return await withAttachedStore(engine, bak, sourceAlias, async () => {
      const tables = await attachedTables(engine, sourceAlias)
      if (tables.has(arraysTable)) await collectTableRows(engine, tables, backupOrigin)
      if (options.depth === 'deep') await readAllValues(engine, tables)
      return checkBlocks(bak, options)
    })
  } catch (error) {
    options.signal?.throwIfAborted()
    return [unreadableBackup(backupProblem(error)), ...(await checkBlocks(bak, options))]
  }
}
