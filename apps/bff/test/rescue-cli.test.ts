import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { answerCli, runCli } from '../src/testing/run-cli.ts'
import { treeHash } from '../src/testing/tree-hash.ts'
import { copyDemo, copyMigratedDemo, copySample, hasSamples, removeCopies } from '../src/testing/workspace-copies.ts'

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'nirs-home-'))
})
afterAll(async () => {
  await rm(home, { recursive: true, force: true })
  await removeCopies()
})

/** Runs a verb with --json; standard output must be one JSON document and nothing else. */
const json = async (...parameters: string[]) => {
  const result = await runCli([...parameters, '--json'], home)
  return { ...result, answer: JSON.parse(result.stdout) as Record<string, unknown> }
}

test.runIf(hasSamples)('rescue shows what it would bring back, brings exactly that, and then has nothing to do', async () => {
  const path = await copySample('damaged-lost-arrays')
  const refusal = await json('migrate', path, '--yes')
  expect([refusal.code, refusal.stderr]).toEqual([4, expect.stringContaining(`nirs-workspace rescue ${path}`)])
  const before = treeHash(path)
  const { code, answer: plan } = await json('rescue', path, '--dry-run')
  expect([code, plan]).toMatchObject([0, { dry_run: true, predictions: 529, stay_lost: 0, unknown_rows: 0 }])
  const shown = expect.stringMatching(/arrays of 529 predictions from store\.duckdb\.bak[\s\S]*soil_pH\.parquet/)
  const unasked = await runCli(['rescue', path], home)
  expect([unasked.code, unasked.stderr]).toEqual([2, shown])
  expect(await answerCli(['rescue', path], home, 'n\n')).toMatchObject({ code: 0, stdout: '', stderr: shown })
  expect(treeHash(path)).toBe(before)

  const done = await json('rescue', path, '--yes')
  expect([done.code, done.answer]).toMatchObject([0, { predictions: 529, stay_lost: 0 }])
  expect((await json('inspect', path)).answer).toMatchObject({ storage_mode: 'sqlite', rescue_needed: false })
  expect(await json('verify', path, '--deep')).toMatchObject({ code: 0, answer: { passed: true, findings: [] } })
  const after = treeHash(path)
  expect(await json('rescue', path, '--yes')).toMatchObject({ code: 0, answer: { nothing_to_do: true, predictions: 0 } })
  expect((await runCli(['rescue', path], home)).stdout).toBe('nothing to rescue\n')
  expect(treeHash(path)).toBe(after)
})

test('rescue has nothing to do without a backup, and is refused for what it is not made for', async () => {
  expect(await json('rescue', await copyMigratedDemo())).toMatchObject({ code: 0, answer: { nothing_to_do: true } })
  expect(await json('rescue', await copyDemo())).toMatchObject({ code: 4, answer: { error: { code: 'not_migrated' } } })
  expect(await json('rescue', home)).toMatchObject({ code: 3, answer: { error: { code: 'not_a_workspace' } } })
})
