import { readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { MigrationReport } from '@nirs-workspace/types'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { withArrayReader } from '../arrays/array-reader.ts'
import { hashDatasetArrays } from '../arrays/dataset-hash.ts'
import { withEngine } from '../engine/open-engine.ts'
import { hashFile } from '../files/hash-file.ts'
import { filesOf } from '../testing/fault-oracle.ts'
import { expectFlushed } from '../testing/flush-order.ts'
import { copyWorkspace, expectedWorkspace, hasSharedWorkspaces, type SharedWorkspaceName } from '../testing/shared-workspaces.ts'
import { verifyWorkspace } from '../verify/verify-workspace.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { deleteBackup } from './delete-backup.ts'
import { planMigration } from './plan-migration.ts'
import { rollbackMigration } from './rollback-migration.ts'
import { runMigration } from './run-migration.ts'

const legacy: SharedWorkspaceName[] = ['legacy-0.7.0', 'legacy-0.7.1', 'crashed-wal', 'mid-migration']
const others: SharedWorkspaceName[] = ['hybrid-0.8.1', 'empty-new', 'sqlite-0.9.4', 'sqlite-0.11', 'damaged-lost-arrays']

const ArrayHashes = z.record(z.string(), z.looseObject({ withArrayRow: z.number(), arraysSha256: z.string() }))
const Stores = z.looseObject({ storeFiles: z.record(z.string(), z.object({ sha256: z.string() })) })

/** The arrays of every dataset of a migrated workspace, in the form of the expected figures. */
const hashesOf = async (path: string): Promise<Record<string, string>> => {
  const resolved = await resolveWorkspace(path)
  const files = await Promise.all(
    (await readdir(resolved.arrays)).map(async (name) => ({ source: `arrays/${name}`, ids: await idsIn(join(resolved.arrays, name)) })),
  )
  const refs = files.flatMap(({ source, ids }) => ids.map((one) => ({ ...one, array_source: source })))
  return withArrayReader({}, async (reader) => {
    const hashes: Record<string, string> = {}
    for (const [dataset, rows] of Map.groupBy(refs, (ref) => ref.dataset_name))
      hashes[dataset] = await hashDatasetArrays(reader, resolved, rows)
    return hashes
  })
}

const idsIn = (file: string) =>
  withEngine({}, (engine) =>
    engine.rows(z.object({ prediction_id: z.string(), dataset_name: z.string() }), `SELECT prediction_id, dataset_name FROM '${file}'`),
  )

describe.runIf(hasSharedWorkspaces())('workspaces written by nirs4all', () => {
  test.each(legacy)('test_migrate_real_workspace: %s', async (name) => {
    await using copy = await copyWorkspace(name)
    const before = await filesOf(copy.path)
    const plan = await planMigration(copy.path)
    expect(await filesOf(copy.path)).toEqual(before)
    const report = await runMigration(copy.path, { jobId: 'real', planId: plan.plan_id })
    const expected = ArrayHashes.parse(expectedWorkspace(name).datasets)
    expect(Object.fromEntries(report.datasets.map((dataset) => [dataset.name, dataset.rows]))).toEqual(
      Object.fromEntries(Object.entries(expected).map(([key, { withArrayRow }]) => [key, withArrayRow])),
    )
    for (const dataset of report.datasets) expect(dataset.parquet_sha256).toBe(dataset.source_sha256)
    expect(await hashesOf(copy.path)).toEqual(Object.fromEntries(Object.entries(expected).map(([key, one]) => [key, one.arraysSha256])))
    expect(await verifyWorkspace(copy.path, { depth: 'deep' })).toMatchObject({ passed: true, proof_holds: true })
    await expectTables(copy.path, name)
    const { storeFiles } = Stores.parse(expectedWorkspace(name))
    expect(await hashFile(report.backup_path)).toBe(storeFiles['store.duckdb']?.sha256)
    if (storeFiles['store.duckdb.wal'] !== undefined)
      expect(await hashFile(`${report.backup_path}.wal`)).toBe(storeFiles['store.duckdb.wal'].sha256)
    await rollbackMigration(copy.path, { jobId: 'back' })
    const after = Object.entries(await filesOf(copy.path)).filter(([path]) => !path.startsWith('.nirs-workspace'))
    expect(after).toEqual(Object.entries(before))
  })

  const expectTables = (path: string, name: SharedWorkspaceName) =>
    withEngine({}, (engine) =>
      withAttachedStore(engine, join(path, 'store.duckdb'), 'store', async () => {
        for (const [table, rows] of Object.entries(expectedWorkspace(name).tables)) {
          if (table === 'prediction_arrays') continue
          expect(await engine.one(z.any(), `SELECT count(*) AS n FROM store.${table}`), table).toEqual({ n: rows })
        }
        const unfilled = await engine.one(
          z.any(),
          `SELECT count(*) AS n FROM store.chains c WHERE model_name IS NULL
           AND EXISTS (SELECT 1 FROM store.predictions p WHERE p.chain_id = c.chain_id AND refit_context IS NULL)`,
        )
        expect(unfilled).toEqual({ n: 0 })
      }),
    )

  test('a half-migrated workspace: the differing row is kept apart, the double one is one again', async () => {
    await using copy = await copyWorkspace('mid-migration')
    const reports: MigrationReport[] = []
    await expectFlushed(copy.path, 'a migration that replaces files', async () => {
      reports.push(await runMigration(copy.path, { jobId: 'mid' }))
    })
    const [report] = reports
    const ids = (code: string) => report?.warnings.find((warning) => warning.code === code)?.ids
    expect(ids('stale_parquet_rows')).toEqual(['328c45d8-32a5-4a'])
    expect(ids('duplicate_prediction_ids')).toEqual(['2d17710c-a5f1-4a'])
    expect(report).toMatchObject({ quarantined_rows: 1, rows_migrated: 529, total_rows: 529 })
    const folder = join(copy.path, '.nirs-workspace/migrations/mid')
    expect((await readdir(join(folder, 'replaced'))).length).toBe(5)
    const operations = await expectFlushed(copy.path, 'deleting what was replaced', () => deleteBackup(copy.path))
    expect(operations.findLast(({ path }) => path.startsWith(folder))).toMatchObject({ kind: 'fsync-folder', path: folder })
  })

  test('a half-migrated workspace rolls back to the byte, with the array files that were replaced', async () => {
    await using copy = await copyWorkspace('mid-migration')
    const before = await filesOf(copy.path)
    await runMigration(copy.path, { jobId: 'mid' })
    // As a deletion of the backup leaves it that was stopped.
    const replaced = join(copy.path, '.nirs-workspace/migrations/mid/replaced')
    const [name = ''] = await readdir(replaced)
    const aside = join(copy.path, '..', name)
    await rename(join(replaced, name), aside)
    await expect(rollbackMigration(copy.path, { jobId: 'back' })).rejects.toMatchObject({ code: 'backup_not_found' })
    await rename(aside, join(replaced, name))
    await rollbackMigration(copy.path, { jobId: 'back' })
    const after = Object.entries(await filesOf(copy.path)).filter(([name]) => !name.startsWith('.nirs-workspace/'))
    expect(Object.fromEntries(after)).toEqual(before)
  })

  test.each(others)('%s: there is nothing to migrate, and nothing is changed', async (name) => {
    await using copy = await copyWorkspace(name)
    const before = await filesOf(copy.path)
    await expect(planMigration(copy.path)).rejects.toMatchObject({ code: 'not_migratable' })
    await expect(runMigration(copy.path, { jobId: 'no' })).rejects.toMatchObject({ code: 'not_migratable' })
    expect(await filesOf(copy.path)).toEqual(before)
  })
})
