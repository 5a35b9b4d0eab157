import { expect, test } from 'vitest'
import { cliHome } from '../src/testing/cli-home.ts'
import { answerCli, runCli } from '../src/testing/run-cli.ts'
import { treeHash } from '../src/testing/tree-hash.ts'
import { copyDemo, copyMigratedDemo, copySample, hasSamples } from '../src/testing/workspace-copies.ts'

const cli = cliHome()

test.runIf(hasSamples)('rescue shows what it would bring back, brings exactly that, and then has nothing to do', async () => {
  const path = await copySample('damaged-lost-arrays')
  const refusal = await cli.json('migrate', path, '--yes')
  expect([refusal.code, refusal.stderr]).toEqual([4, expect.stringContaining(`nirs-workspace rescue ${path}`)])
  const before = treeHash(path)
  const { code, answer: plan } = await cli.json('rescue', path, '--dry-run')
  expect([code, plan]).toMatchObject([0, { dry_run: true, predictions: 529, stay_lost: 0, unknown_rows: 0 }])
  const shown = expect.stringMatching(/arrays of 529 predictions from store\.duckdb\.bak[\s\S]*soil_pH\.parquet/)
  const unasked = await runCli(['rescue', path], cli.home)
  expect([unasked.code, unasked.stderr]).toEqual([2, shown])
  expect(await answerCli(['rescue', path], cli.home, 'n\n')).toMatchObject({ code: 0, stdout: '', stderr: shown })
  expect(treeHash(path)).toBe(before)

  const done = await cli.json('rescue', path, '--yes')
  expect([done.code, done.answer]).toMatchObject([0, { predictions: 529, stay_lost: 0 }])
  expect((await cli.json('inspect', path)).answer).toMatchObject({ storage_mode: 'sqlite', rescue_needed: false })
  // The sample came without the models that its rows name.
  const findings = [{ code: 'missing_artifact_files', severity: 'info' }]
  expect(await cli.json('verify', path, '--deep')).toMatchObject({ code: 0, answer: { passed: true, findings } })
  const after = treeHash(path)
  expect(await cli.json('rescue', path, '--yes')).toMatchObject({ code: 0, answer: { nothing_to_do: true, predictions: 0 } })
  expect((await runCli(['rescue', path], cli.home)).stdout).toBe('nothing to rescue\n')
  expect(treeHash(path)).toBe(after)
})

test('rescue has nothing to do without a backup, and is refused for what it is not made for', async () => {
  expect(await cli.json('rescue', await copyMigratedDemo())).toMatchObject({ code: 0, answer: { nothing_to_do: true } })
  expect(await cli.json('rescue', await copyDemo())).toMatchObject({ code: 4, answer: { error: { code: 'not_migrated' } } })
  expect(await cli.json('rescue', cli.home)).toMatchObject({ code: 3, answer: { error: { code: 'not_a_workspace' } } })
})
