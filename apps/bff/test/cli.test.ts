import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Inspection, MigrationPlan, MigrationReport, VerifyReport, WorkspaceStats } from '@nirs-workspace/types'
import { beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { cliHome } from '../src/testing/cli-home.ts'
import { runCli, runCliUnder, serveCli } from '../src/testing/run-cli.ts'
import { startWriter } from '../src/testing/start-writer.ts'
import { treeHash } from '../src/testing/tree-hash.ts'
import { copyDemo } from '../src/testing/workspace-copies.ts'

const cli = cliHome()

let workspace: string
beforeAll(async () => {
  workspace = await copyDemo()
})

test('a Node that is too old is told which one is needed', async () => {
  const { code, stdout, stderr } = await runCliUnder('20.20.2', ['inspect', workspace])
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(/^NIRS Workspace needs Node 24 or later, and this is 20\.20\.2\. Nothing was opened or changed\.\nIn /)
})

describe('verbs that look', () => {
  test('inspect, stats, list, top, show and export answer as the contract says and change nothing', async () => {
    const before = treeHash(workspace)
    const inspected = await cli.json('inspect', workspace)
    expect(inspected.code).toBe(0)
    const { counts, datasets } = Inspection.parse(inspected.answer)
    expect(counts.arrays).toBe(counts.predictions)
    const stats = await cli.json('stats', workspace)
    expect(WorkspaceStats.parse(stats.answer).tables.predictions).toBe(counts.predictions)

    const listed = await cli.json('list', workspace, 'predictions', '--limit', '1200', '--sort', 'val_score:desc')
    expect(listed.answer).toMatchObject({ total: counts.predictions })
    expect(listed.answer.rows).toHaveLength(Math.min(1200, counts.predictions))
    const filtered = await cli.json(
      'list',
      workspace,
      'predictions',
      '--filter',
      'partition=val',
      '--filter',
      `dataset_name=${datasets[0]?.name}`,
    )
    const rows = filtered.answer.rows as { partition: string; dataset_name: string; prediction_id: string }[]
    expect(new Set(rows.map((row) => `${row.partition} ${row.dataset_name}`))).toEqual(new Set([`val ${datasets[0]?.name}`]))
    const counted = [
      ['runs', 'n_predictions'],
      ['chains', 'predictions'],
      ['datasets', 'predictions'],
    ] as const
    for (const [what, column] of counted) {
      const counts = async (...args: string[]): Promise<number[]> => {
        const { answer } = await cli.json('list', workspace, what, ...args)
        return z
          .object({ rows: z.array(z.object({ [column]: z.number() })) })
          .parse(answer)
          .rows.map((row) => row[column] ?? Number.NaN)
      }
      const all = await counts()
      expect(all.length, what).toBeGreaterThan(1)
      const most = all.toSorted((a, b) => b - a)
      expect(await counts('--sort', `${column}:desc`), what).toEqual(most)
      expect(await counts('--sort', column, '--limit', '1', '--offset', '1'), what).toEqual(most.toReversed().slice(1, 2))
    }
    const unsorted = await cli.json('list', workspace, 'runs', '--sort', 'colour')
    expect([unsorted.code, unsorted.answer.error]).toEqual([2, expect.objectContaining({ detail: expect.stringContaining('"colour"') })])

    const top = (await cli.json('top', workspace, '-n', '3')).answer.rows as Record<string, unknown>[]
    expect(top[0]).toEqual(
      expect.objectContaining({
        prediction_id: expect.any(String),
        dataset_name: expect.any(String),
        metric: expect.any(String),
        val_score: expect.any(Number),
      }),
    )
    const shown = await cli.json('show', workspace, String(top[0]?.prediction_id), '--arrays')
    expect(shown.answer).toMatchObject({
      prediction_id: top[0]?.prediction_id,
      y_true: expect.any(Array),
      y_pred: expect.any(Array),
      metrics: expect.any(Object),
    })
    expect(shown.answer).toHaveProperty('y_proba_shape')

    const one = join(cli.home, 'one.parquet')
    const exported = (await cli.json('export', workspace, datasets[0]?.name ?? '', '-o', one)).answer.files as Record<string, unknown>[]
    expect(exported).toEqual([
      {
        path: one,
        dataset_name: datasets[0]?.name,
        rows: datasets[0]?.predictions,
        bytes: expect.any(Number),
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        warnings: [],
      },
    ])
    const several = (await cli.json('export', workspace, '-o', join(cli.home, 'several'))).answer.files as unknown[]
    expect(several).toHaveLength(datasets.length)
    expect(await readdir(join(cli.home, 'several'))).toHaveLength(datasets.length)
    expect((await cli.json('export', workspace, '-o', join(cli.home, 'all.zip'), '--format', 'zip')).code).toBe(0)
    expect(treeHash(workspace)).toBe(before)
  })

  test('without --json the answer is a table to read', async () => {
    const { stdout, code } = await runCli(['list', workspace, 'datasets'], cli.home)
    expect(code).toBe(0)
    expect(stdout.split('\n')[0]).toMatch(/^name +predictions +arrays$/)
  })
})

describe('exit codes', () => {
  test.each([
    [['frobnicate'], 2],
    [['list', 'PATH', 'sheep'], 2],
    [['list', 'PATH', 'predictions', '--limit', 'many'], 2],
    [['list', 'PATH', 'predictions', '--filter', 'colour=red'], 2],
    [['show', 'PATH', 'nobody'], 2],
    [['export', 'PATH', 'nothing', '-o', 'OUT'], 2],
    [['migrate', 'PATH'], 2],
    [['migrate', 'PATH', '--dry-run', '--batch-size', '100001'], 2],
    [['rollback', 'PATH'], 2],
    [['serve', 'PATH', '--host', '0.0.0.0'], 2],
    [['inspect', 'PATH/nowhere'], 3],
    [['inspect', 'PATH/logs'], 3],
    [['rollback', 'PATH', '--yes'], 4],
  ])('%j ends with %i', async (parameters, code) => {
    const before = treeHash(workspace)
    const result = await runCli(
      parameters.map((text) => text.replace('PATH', workspace).replace('OUT', join(cli.home, 'x.parquet'))),
      cli.home,
    )
    expect([result.stderr, result.code]).toEqual([expect.any(String), code])
    expect(result.stdout).toBe('')
    expect(treeHash(workspace)).toBe(before)
  })

  test('with --json an error is one document as well', async () => {
    const { answer, code, stderr } = await cli.json('inspect', join(workspace, 'nowhere'))
    expect(code).toBe(3)
    expect(answer).toMatchObject({ error: { code: 'workspace_not_found' } })
    expect(stderr).not.toBe('')
  })

  test('a store that another process holds is refused with 4, naming it', async () => {
    const path = await copyDemo()
    const writer = await startWriter(join(path, 'store.duckdb'))
    const { answer, code } = await cli.json('migrate', path, '--yes')
    expect(code).toBe(4)
    expect(answer).toMatchObject({ error: { code: 'store_locked', locked_by: { pid: writer.pid } } })
    await writer.release()
  })
})

test('migrate: plan, run, check, nothing to do, roll back', async () => {
  const path = await copyDemo()
  const before = treeHash(path)
  const dry = await cli.json('migrate', path, '--dry-run')
  const plan = MigrationPlan.parse(dry.answer)
  expect([dry.code, treeHash(path)]).toEqual([0, before])
  expect(dry.stdout).not.toMatch(/"[^"]*(migrated|passed)[^"]*":/)
  const done = await cli.json('migrate', path, '--yes', '--batch-size', '64')
  expect([done.stderr, done.code]).toEqual(['', 0])
  expect(MigrationReport.parse(done.answer)).toMatchObject({ rows_migrated: plan.total_rows, verification_passed: true })
  const checked = await cli.json('migrate', path, '--verify-only')
  expect([checked.code, VerifyReport.parse(checked.answer).passed]).toEqual([0, true])
  expect((await cli.json('verify', path, '--deep')).code).toBe(0)
  const again = await runCli(['migrate', path, '--yes'], cli.home)
  expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to do') })
  // Without a terminal and without --yes there is nobody to ask, and nothing to be asked.
  expect(await cli.json('migrate', path)).toMatchObject({ code: 0, answer: { nothing_to_do: true, storage_mode: 'migrated' } })
  const dryAgain = await cli.json('migrate', path, '--dry-run')
  expect([dryAgain.code, dryAgain.answer]).toEqual([0, { nothing_to_do: true, storage_mode: 'migrated' }])
  const back = await cli.json('rollback', path, '--yes')
  expect([back.code, back.answer]).toEqual([0, expect.objectContaining({ restored_from: expect.stringContaining('.bak') })])
  expect((await cli.json('inspect', path)).answer).toMatchObject({ storage_mode: 'legacy' })
})

describe('serve', () => {
  test('prints the address with its token, serves a folder of workspaces, and stops cleanly', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nirs-folder-'))
    await cp(workspace, join(folder, 'first'), { recursive: true })
    await cp(workspace, join(folder, 'second'), { recursive: true })
    const server = await serveCli([folder], cli.home)
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{16,}$/)
    const list = (await (await server.request('/workspaces')).json()) as { total: number }
    expect(list.total).toBe(2)
    expect(await server.end('SIGTERM')).toBe(0)
    expect(server.output.stderr).not.toContain('"level":"error"')
    await rm(folder, { recursive: true })
  })

  test('a port that is taken gives way to the next free one; a token file is used; paths are found from here, those outside the root refused', async () => {
    const tokenFile = join(cli.home, 'token')
    await writeFile(tokenFile, 'a-token-of-our-own-1234\n')
    const root = join(cli.home, 'root')
    await mkdir(join(root, 'inside'), { recursive: true })
    await cp(join(workspace, 'store.duckdb'), join(root, 'inside', 'store.duckdb'))
    const server = await serveCli(['root/inside', '--token-file', tokenFile, '--workspace-root', 'root'], cli.home, cli.home)
    expect(server.token).toBe('a-token-of-our-own-1234')
    const refused = await server.request('/workspaces', { method: 'POST', body: JSON.stringify({ path: workspace }) })
    expect([refused.status, await refused.json()]).toEqual([403, expect.objectContaining({ code: 'path_not_allowed' })])
    const second = await runCliServeOn(server.port)
    expect(second.port).toBeGreaterThan(server.port)
    await second.end()
    await server.end('SIGINT')
  })
})

/** `serve` on a port that is taken. */
const runCliServeOn = async (port: number) => {
  const server = await serveCli(['--port', String(port)], cli.home)
  return { port: server.port, end: () => server.end('SIGTERM') }
}
