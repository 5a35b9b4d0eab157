import { mkdir, mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ExportedFile, errorCodes } from '@nirs-workspace/types'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { runCli, runCliAfter } from '../testing/run-cli.ts'
import { copyDemo, copySample, hasSamples, removeCopies } from '../testing/workspace-copies.ts'

let home: string
let damaged: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'nirs-home-'))
  if (!hasSamples) return
  damaged = await copySample('hybrid-0.8.1')
  await truncate(join(damaged, 'arrays', 'grain_protein.parquet'), 1000)
  await rename(join(damaged, 'arrays', 'origin_binary.parquet'), join(damaged, 'origin_binary.parquet'))
})
afterAll(async () => {
  await rm(home, { recursive: true, force: true })
  await removeCopies()
})

const Failure = z.object({
  error: z.object({
    code: z.string(),
    detail: z.string(),
    hint: z.string().optional(),
    files: z.array(ExportedFile).optional(),
    failed: z.array(z.object({ dataset_name: z.string(), code: z.string(), detail: z.string() })).optional(),
  }),
})

const fail = async (...parameters: string[]) => {
  const { code, stdout } = await runCli([...parameters, '--json'], home)
  return { exit: code, ...Failure.parse(JSON.parse(stdout)).error }
}

test.runIf(hasSamples)('a source that cannot be read keeps its own code and sentence, in an archive and in a file', async () => {
  for (const format of ['zip', 'csv']) {
    const target = join(home, `x.${format}`)
    const { exit, code, detail } = await fail('export', damaged, 'grain_protein', '-o', target, '--format', format)
    expect([format, exit, code, detail]).toEqual([
      format,
      errorCodes.arrays_corrupt.exit,
      'arrays_corrupt',
      expect.stringContaining('arrays/grain_protein.parquet'),
    ])
    expect(detail).not.toContain('disk')
  }
  expect((await readdir(home)).filter((name) => name.startsWith('x.'))).toEqual([])
})

test.runIf(hasSamples)(
  'every dataset that can be written is, then the others are named with why, and what is there when asked again',
  async () => {
    const folder = join(home, 'all')
    const first = await fail('export', damaged, '-o', folder)
    expect([first.exit, first.code]).toEqual([errorCodes.arrays_corrupt.exit, 'arrays_corrupt'])
    expect(first.failed?.map(({ dataset_name, code }) => [dataset_name, code])).toEqual([
      ['grain_protein', 'arrays_corrupt'],
      ['origin_binary', 'arrays_missing'],
    ])
    expect(first.files?.map(({ dataset_name }) => dataset_name)).toEqual([
      'Blé dur / lot 2',
      'dataset',
      'forage reps (v1.2)',
      'oil_moisture',
      'oil_moisture_meta',
      'soil pH',
      'soil_pH',
      'sugar_class',
      'two_probes',
    ])
    expect(first.detail).toContain('9 of 11 datasets were written')
    expect(first.detail).toContain('"grain_protein"')
    expect(first.detail).toContain('"origin_binary"')
    const written = (await readdir(folder)).sort()
    expect(written.map((name) => join(folder, name))).toEqual(first.files?.map(({ path }) => path).sort())

    const again = await fail('export', damaged, '-o', folder)
    expect([again.exit, again.code]).toEqual([2, 'validation'])
    expect(again.detail).toContain('9 of the files are there already')
    expect(again.detail).toContain('dataset.parquet')
    expect(again.detail).toContain('--force')
    expect((await readdir(folder)).sort()).toEqual(written)
    const forced = await fail('export', damaged, '-o', folder, '--force')
    expect([forced.code, forced.files?.length, forced.failed?.length]).toEqual(['arrays_corrupt', 9, 2])
  },
)

test.runIf(hasSamples)('without --json the sentence names what was written and what was not', async () => {
  const folder = join(home, 'two')
  const { code, stdout, stderr } = await runCli(['export', damaged, 'dataset', 'grain_protein', '-o', folder], home)
  expect([code, stdout]).toEqual([5, ''])
  expect(stderr).toContain(`${join(folder, 'dataset.parquet')}  9 rows`)
  expect(stderr).toContain('1 of 2 datasets was written')
  expect(stderr).toContain('arrays/grain_protein.parquet cannot be read')
  expect(stderr).not.toContain('Nothing was changed')
})

test.runIf(hasSamples)('one file that is there is left as it was and stops the others', async () => {
  const folder = join(home, 'one-there')
  await mkdir(folder)
  await writeFile(join(folder, 'dataset.parquet'), 'mine')
  const { exit, detail } = await fail('export', damaged, 'dataset', 'two_probes', '-o', folder)
  expect([exit, detail]).toEqual([2, expect.stringMatching(/dataset\.parquet is there already.*Nothing was written/)])
  expect(await readdir(folder)).toEqual(['dataset.parquet'])
  expect(await readFile(join(folder, 'dataset.parquet'), 'utf8')).toBe('mine')
})

test.runIf(hasSamples)('a name that occurs nowhere is refused with those that do, and nothing is written', async () => {
  const cases: [string[], string, string][] = [
    [['export', damaged, 'dataset', '-o', join(home, 'no.parquet'), '--partition', 'nope'], 'validation', 'train'],
    [['export', damaged, 'dataset', '-o', join(home, 'no.zip'), '--format', 'zip', '--model', 'nope'], 'validation', 'PLSRegression'],
    [['export', damaged, 'dataset', 'nope', '-o', join(home, 'no')], 'dataset_not_found', 'grain_protein'],
    [['export', damaged, '-o', join(home, 'no'), '--model', 'PLS3', '--model', 'nope'], 'validation', 'PLS3'],
    [['top', damaged, '--metric', 'nope'], 'validation', 'balanced_accuracy'],
    [['top', damaged, '--dataset', 'nope'], 'dataset_not_found', 'grain_protein'],
  ]
  for (const [parameters, code, there] of cases) {
    const refused = await fail(...parameters)
    expect([parameters.slice(2), refused.exit, refused.code]).toEqual([parameters.slice(2), 2, code])
    expect(refused.detail).toContain('"nope"')
    expect(`${refused.detail} ${refused.hint}`).toContain(there)
  }
  expect((await readdir(home)).filter((name) => name.startsWith('no'))).toEqual([])
})

test.runIf(hasSamples)('names that occur but let nothing through leave no file; a metric is taken by any of its names', async () => {
  const { exit, code } = await fail('export', damaged, 'dataset', '-o', join(home, 'none.parquet'), '--partition', 'test')
  expect([exit, code]).toEqual([2, 'nothing_to_export'])
  expect(await readdir(home)).not.toContain('none.parquet')
  const top = await runCli(['top', damaged, '--metric', 'RMSEP', '--dataset', 'two_probes', '--json'], home)
  expect([top.code, z.object({ rows: z.array(z.unknown()) }).parse(JSON.parse(top.stdout)).rows]).not.toEqual([0, []])
})

test('a catalog that another program removes between two datasets fails those that are left, and the others are named', async () => {
  const folder = join(home, 'removed-catalog')
  const pretend = `
    import { rmSync } from 'node:fs'
    process.env.NIRS_WORKSPACE_HOME = ${JSON.stringify(home)}
    const write = process.stderr.write.bind(process.stderr)
    process.stderr.write = (text) => {
      if (text.includes(' rows ')) rmSync(${JSON.stringify(join(home, 'cache', 'catalogs'))}, { recursive: true, force: true })
      return write(text)
    }`
  const { code, stderr } = await runCliAfter(pretend, ['export', await copyDemo(), '-o', folder])
  expect(stderr).toMatch(/1 of \d datasets was written: "[^"]+"\. Not written: .*The catalog of this workspace was removed meanwhile/)
  expect([code, (await readdir(folder)).length]).toEqual([errorCodes.catalog_building.exit, 1])
})
