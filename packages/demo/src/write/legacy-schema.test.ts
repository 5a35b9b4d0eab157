import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Engine } from '@nirs-workspace/storage'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { makeDemo } from '../index.ts'
import { withStore } from '../testing/open-demo.ts'
import { withRealStore } from '../testing/real-store.ts'
import { legacyIndexes, legacyTables } from './legacy-schema.ts'

const Sql = z.object({ sql: z.string() })
const Column = z.record(z.string(), z.unknown())

const layoutOf = async (engine: Engine) => ({
  tables: await engine.rows(Sql, `SELECT sql FROM duckdb_tables() WHERE database_name = 'store' ORDER BY table_name`),
  columns: await engine.rows(
    Column,
    `SELECT table_name, column_index, column_name, data_type, is_nullable, column_default FROM duckdb_columns() WHERE database_name = 'store' AND NOT internal ORDER BY ALL`,
  ),
  indexes: await engine.rows(Sql, `SELECT sql FROM duckdb_indexes() WHERE database_name = 'store' ORDER BY index_name`),
  views: await engine.rows(Sql, `SELECT sql FROM duckdb_views() WHERE database_name = 'store' AND NOT internal`),
  constraints: await engine.rows(
    z.object({ table_name: z.string(), constraint_text: z.string() }),
    `SELECT table_name, constraint_text FROM duckdb_constraints() WHERE database_name = 'store' ORDER BY ALL`,
  ),
})

describe('demo workspace: layout of 0.7.1', () => {
  let folder = ''
  let workspace = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nirs-demo-'))
    workspace = join(folder, 'demo')
    await makeDemo({ directory: workspace, size: 'tiny' })
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('has the seven tables, thirteen indexes and the view, in storage version v1.0.0', async () => {
    await withStore(join(workspace, 'store.duckdb'), async (engine) => {
      const layout = await layoutOf(engine)
      expect(layout.tables).toHaveLength(legacyTables.length)
      expect(layout.indexes).toHaveLength(legacyIndexes.length)
      expect(legacyIndexes).toHaveLength(13)
      expect(layout.views.map((view) => view.sql)).toEqual([expect.stringContaining('CREATE VIEW v_aggregated_predictions AS')])
      const { version } = await engine.one(
        z.object({ version: z.string() }),
        `SELECT tags['storage_version'] AS version FROM duckdb_databases() WHERE database_name = 'store'`,
      )
      expect(version).toMatch(/^v1\.0\.0/)
    })
  })

  it('has the same tables, columns, constraints, indexes and view as a store that nirs4all 0.7.1 wrote', async () => {
    const real = await withRealStore(layoutOf)
    if (real === undefined) return
    const demo = await withStore(join(workspace, 'store.duckdb'), layoutOf)
    expect(demo).toEqual(real)
  })

  it('has the folders and files that 0.7.1 leaves beside the store, and no write-ahead log', async () => {
    expect((await readdir(workspace)).toSorted()).toEqual(['artifacts', 'exports', 'logs', 'outputs', 'store.duckdb'])
    const logs = await readdir(join(workspace, 'logs'))
    expect(logs).toHaveLength(4)
    for (const name of logs) expect(name).toMatch(/^R-\d{8}-\d{6}-[0-9a-f]{4}\.log$/)
    expect(await readdir(join(workspace, 'outputs'))).toContain('folds_KFold_seed42.csv')
  })

  it('refuses a folder that is not empty and changes nothing in it', async () => {
    const before = await readdir(workspace)
    await expect(makeDemo({ directory: workspace, size: 'tiny' })).rejects.toThrow('empty folder')
    expect(await readdir(workspace)).toEqual(before)
  })
})
