import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCli } from '../testing/run-cli.ts'
import { treeHash } from '../testing/tree-hash.ts'
import { copyDemo, removeCopies } from '../testing/workspace-copies.ts'

let home: string
let workspace: string
let dataset: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'nirs-home-'))
  workspace = await copyDemo()
  const { stdout } = await runCli(['list', workspace, 'datasets', '--json'], home)
  dataset = (JSON.parse(stdout) as { rows: { name: string }[] }).rows[0]?.name ?? ''
})
afterAll(async () => {
  await rm(home, { recursive: true, force: true })
  await removeCopies()
})

const exportTo = (output: string, ...more: string[]) => runCli(['export', workspace, '-o', output, '--json', ...more], home)
const refusal = (stdout: string) => (JSON.parse(stdout) as { error: { code: string; detail: string } }).error

test.each([
  ['a ZIP over the store', 'store.duckdb', ['--format', 'zip', '--force']],
  ['a new folder', 'newdir', []],
  ['a ZIP in a folder of the workspace', 'logs/all.zip', ['--format', 'zip']],
])('an export into a workspace is refused and leaves nothing: %s', async (_case, name, more) => {
  const before = treeHash(workspace)
  const { code, stdout } = await exportTo(join(workspace, name), ...more)
  expect([code, refusal(stdout).code]).toEqual([4, 'path_not_allowed'])
  expect(treeHash(workspace)).toBe(before)
})

test('links that lead into a workspace are followed and refused, also into another workspace and when nothing is there yet', async () => {
  const other = await copyDemo()
  const [toStore, dangling, folder] = [join(home, 'to-store.zip'), join(home, 'dangling.zip'), join(home, 'inside')]
  await symlink(join(other, 'store.duckdb'), toStore)
  await symlink(join(other, 'not-there.zip'), dangling)
  await symlink(other, folder)
  const before = treeHash(other)
  for (const path of [toStore, dangling, join(folder, 'x.zip')]) {
    const { code, stdout } = await exportTo(path, '--format', 'zip', '--force')
    expect([path, code, refusal(stdout).code]).toEqual([path, 4, 'path_not_allowed'])
  }
  const several = await exportTo(join(folder, 'sub'))
  expect([several.code, refusal(several.stdout).code]).toEqual([4, 'path_not_allowed'])
  expect(treeHash(other)).toBe(before)
})

test('a file that is there is replaced with --force only, and a store outside of workspaces not even then', async () => {
  const [path, store] = [join(home, 'there.parquet'), join(home, 'some.duckdb')]
  for (const file of [path, store]) await writeFile(file, 'mine')
  const run = (output: string, ...more: string[]) => runCli(['export', workspace, dataset, '-o', output, ...more], home)
  const refused = await run(path, '--json')
  expect([refused.code, refusal(refused.stdout).detail]).toEqual([2, expect.stringContaining('--force')])
  expect(await readFile(path, 'utf8')).toBe('mine')
  expect((await run(path, '--force')).code).toBe(0)
  expect((await readFile(path)).subarray(0, 4).toString()).toBe('PAR1')
  expect((await run(store, '--force')).code).toBe(2)
  expect(await readFile(store, 'utf8')).toBe('mine')
})

test('datasets without a matching prediction are left out and told, as is what to know of the others; an export of nothing is refused and leaves no file', async () => {
  const { stdout } = await runCli(['list', workspace, 'predictions', '--json', '--limit', '1000'], home)
  const { rows } = JSON.parse(stdout) as { rows: { dataset_name: string; model_name: string }[] }
  const byModel = Map.groupBy(rows, (row) => row.model_name)
  const [model, ofOne = []] = [...byModel].find(([, all]) => new Set(all.map((row) => row.dataset_name)).size === 1) ?? []
  const [name = '', others] = [
    ofOne[0]?.dataset_name,
    rows.map((row) => row.dataset_name).filter((each) => each !== ofOne[0]?.dataset_name),
  ]
  await mkdir(join(workspace, 'arrays'))
  await writeFile(join(workspace, 'arrays', '_tombstones.json'), '[')
  const warning = 'The list of removed predictions is damaged and was not applied.'
  for (const [output, ...more] of [['some.zip', '--format', 'zip'], ['some']] as const) {
    const made = await exportTo(join(home, output), '--model', model ?? '', ...more)
    expect((JSON.parse(made.stdout) as { files: object[] }).files).toEqual([
      expect.objectContaining({ dataset_name: name, rows: ofOne.length, warnings: [warning] }),
    ])
    expect(made.stderr).toContain(`warning: ${warning}`)
    expect(made.stderr).toContain(`left out: No prediction of "${others[0]}" passes the filters.`)
  }
  for (const [output, ...more] of [['no.zip', '--format', 'zip'], ['no.parquet']] as const) {
    const refused = await exportTo(join(home, output), others[0] ?? '', '--model', model ?? '', ...more)
    expect([refused.code, refusal(refused.stdout).code]).toEqual([2, 'nothing_to_export'])
  }
  expect((await readdir(home)).filter((each) => each.startsWith('no.'))).toEqual([])
})

test('what cannot be a file of an export is named, without a trace', async () => {
  const folder = join(home, 'a-folder')
  await mkdir(folder)
  const one = (output: string, ...more: string[]) => runCli(['export', workspace, dataset, '-o', output, '--json', ...more], home)
  const zip = ['--format', 'zip']
  const cases: [Promise<{ code: number | null; stdout: string }>, number, string][] = [
    [one('/dev/null'), 2, 'neither a file nor a folder'],
    [one('/dev/null', ...zip), 2, 'neither a file nor a folder'],
    [one('/proc/x.parquet'), 5, 'Nothing can be written in /proc'],
    [one(join(home, 'nowhere', 'x.zip'), ...zip), 2, 'There is no folder'],
    [one(folder, ...zip), 2, 'is a folder'],
    [one(join(home, 'a-folder', 'x'.repeat(300))), 2, 'ENAMETOOLONG'],
  ]
  for (const [run, code, detail] of cases) {
    const result = await run
    expect([result.code, refusal(result.stdout).detail]).toEqual([code, expect.stringContaining(detail)])
  }
  await writeFile(join(home, 'plain'), '')
  const several = await exportTo(join(home, 'plain'))
  expect([several.code, refusal(several.stdout).detail]).toEqual([2, expect.stringContaining('is a file')])
  const below = await exportTo(join(home, 'plain', 'sub'))
  expect([below.code, refusal(below.stdout).detail]).toEqual([2, expect.stringContaining('ENOTDIR')])
  expect(await readdir(folder)).toEqual([])
})
