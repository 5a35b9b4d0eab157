import { mkdtemp, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { snapshot } from '@nirs-workspace/storage/testing'
import { MergePlan, MergeReport, SqlResult } from '@nirs-workspace/types'
import { expect, test } from 'vitest'
import { cliHome } from '../src/testing/cli-home.ts'
import { runCli } from '../src/testing/run-cli.ts'
import { treeHash } from '../src/testing/tree-hash.ts'
import { copyDemo, copyMigratedDemo, copySample, hasSamples } from '../src/testing/workspace-copies.ts'

const cli = cliHome()

test('merge makes a target only with --create, and does what its preview says; the source is only read', async () => {
  const source = await copyDemo()
  const target = join(await mkdtemp(join(cli.home, 'target-')), 'merged')
  const before = treeHash(source)
  const words = ['merge', target, source]
  const without = await runCli([...words, '--yes'], cli.home)
  expect([without.code, without.stderr]).toEqual([3, expect.stringContaining('--create')])
  const refused = await runCli([...words, '--create'], cli.home)
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/Would merge into .* which would be made[\s\S]*--yes/)])
  const plan = MergePlan.parse((await cli.json(...words, '--create', '--dry-run')).answer)
  expect([plan.creates_target, await readdir(join(target, '..'))]).toEqual([true, []])

  const merged = await cli.json(...words, '--create', '--yes')
  const report = MergeReport.parse(merged.answer)
  expect(merged.code).toBe(0)
  expect(report).toMatchObject({ sources: plan.sources, rows: plan.rows, datasets_merged: plan.datasets_merged, conflicts_resolved: 0 })
  expect(treeHash(source)).toBe(before)
  const original = await snapshot(await copyMigratedDemo())
  const made = await snapshot(target)
  expect(made.arrays).toEqual(original.arrays)
  expect(made.tables.predictions).toHaveLength(original.tables.predictions?.length ?? 0)
  expect((await runCli([...words, '--yes'], cli.home)).stdout).toContain('nothing was written')
})

test.runIf(hasSamples)('a merge that makes its target and finds nothing to bring says both', async () => {
  const target = join(await mkdtemp(join(cli.home, 'target-')), 'merged')
  const { stdout } = await runCli(['merge', target, await copySample('empty-new'), '--create', '--yes'], cli.home)
  expect(stdout).toMatch(/was made and is empty/)
  expect(await readdir(target)).toContain('store.duckdb')
})

test.runIf(hasSamples)('what gives way in a merge is in the trash under the name that is printed', async () => {
  const target = await copySample('hybrid-0.8.1')
  const source = await copySample('legacy-0.7.1')
  const { code, answer } = await cli.json('merge', target, source, '--on-conflict', 'keep_latest', '--dataset', 'origin_binary', '--yes')
  const report = MergeReport.parse(answer)
  expect([code, report.datasets_merged, report.errors]).toEqual([0, ['origin_binary'], []])
  const { rows } = (await cli.json('trash', target)).answer as { rows: { operation_id: string; counts: { predictions: number } }[] }
  expect(rows.map((row) => [row.operation_id, row.counts.predictions])).toEqual([[report.trash_operation, 17]])
})

test('vacuum gives back free blocks and keeps every row; it is refused for a store of an older release', async () => {
  const path = await copyMigratedDemo()
  expect((await runCli(['remove-dataset', path, 'wheat_protein', '--yes'], cli.home)).code).toBe(0)
  const before = await snapshot(path)
  const untouched = treeHash(path)
  const { answer: plan } = await cli.json('vacuum', path, '--dry-run')
  expect(plan).toEqual({ bytes_before: expect.any(Number), free_bytes: expect.any(Number) })
  expect([(await runCli(['vacuum', path], cli.home)).code, treeHash(path)]).toEqual([2, untouched])
  const { code, answer: report } = await cli.json('vacuum', path, '--yes')
  expect([code, report.bytes_before]).toEqual([0, plan.bytes_before])
  expect(Number(report.bytes_before) - Number(report.bytes_after)).toBeGreaterThanOrEqual(Number(plan.free_bytes))
  expect(await snapshot(path)).toEqual(before)
  expect((await cli.json('vacuum', await copyDemo(), '--dry-run')).code).toBe(4)
})

test('sql answers one reading statement and changes nothing', async () => {
  const path = await copyDemo()
  const before = treeHash(path)
  const { code, answer } = await cli.json('sql', path, 'SELECT dataset_name, count(*) AS n FROM predictions GROUP BY 1 ORDER BY 1')
  const { columns, rows, truncated } = SqlResult.parse(answer)
  expect([code, columns.map(({ name }) => name), rows[3], truncated]).toEqual([0, ['dataset_name', 'n'], ['wheat_protein', 47], false])
  const text = await runCli(['sql', path, "SELECT 'a' AS x, [1, 2] AS y FROM range(3)", '--limit', '2'], cli.home)
  expect([text.stdout, text.stderr]).toEqual(['x  y\na  [1,2]\na  [1,2]\n', 'Only the first 2 rows; --limit gives more.\n'])
  expect((await cli.json('sql', path, 'DELETE FROM runs')).answer).toMatchObject({ error: { code: 'sql_not_allowed' } })
  expect(treeHash(path)).toBe(before)
})
