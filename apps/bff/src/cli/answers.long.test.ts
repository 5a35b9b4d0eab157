import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { attachWritable, withEngine } from '@nirs-workspace/storage'
import { expect, test } from 'vitest'
import { cliHome } from '../testing/cli-home.ts'
import { answerCli, runCli, runCliAfter } from '../testing/run-cli.ts'
import { startWriter } from '../testing/start-writer.ts'
import { copyDemo, copySample, hasSamples } from '../testing/workspace-copies.ts'

const cli = cliHome()
const change = (path: string, sql: string) =>
  withEngine({}, async (engine) => {
    await attachWritable(engine, join(path, 'store.duckdb'), 'store')
    await engine.run(sql)
  })

test.each([
  [['show', '.'], "missing required argument 'prediction_id'"],
  [['inspect', '.', '--colour'], "unknown option '--colour'"],
  [['frobnicate'], "unknown command 'frobnicate'"],
  [['list', '.', 'sheep'], 'sheep'],
])('with --json a command line that cannot be read is one document too: %j', async (parameters, detail) => {
  const { code, answer } = await cli.json(...parameters)
  expect([code, answer]).toEqual([2, { error: expect.objectContaining({ code: 'validation', detail: expect.stringContaining(detail) }) }])
})

test('a negative zero in an array keeps its sign in the answer', async () => {
  const path = await copyDemo()
  const { rows } = (await cli.json('list', path, 'predictions', '--limit', '1')).answer as { rows: { prediction_id: string }[] }
  const id = rows[0]?.prediction_id ?? ''
  await change(path, `UPDATE store.prediction_arrays SET y_pred = [-0.0::DOUBLE] || y_pred[2:] WHERE prediction_id = '${id}'`)
  const { y_pred } = (await cli.json('show', path, id, '--arrays')).answer as { y_pred: number[] }
  expect(Object.is(y_pred[0], -0)).toBe(true)
})

test('figures that cannot be worked out are left out, and the answer says why', async () => {
  const path = await copyDemo()
  const { rows } = (await cli.json('list', path, 'predictions', '--limit', '1')).answer as { rows: { prediction_id: string }[] }
  const id = rows[0]?.prediction_id ?? ''
  await change(path, `UPDATE store.prediction_arrays SET y_pred = y_pred || [1.0] WHERE prediction_id = '${id}'`)
  const { code, answer } = await cli.json('show', path, id, '--arrays')
  expect([code, answer]).toEqual([
    0,
    expect.objectContaining({ metrics: null, no_metrics_because: expect.stringMatching(/^y_true has \d+ values and y_pred \d+: which/) }),
  ])
})

test('verify and the preview of a migration say which predictions they mean, some by id, and how to look at one', async () => {
  const path = await copyDemo()
  const { rows } = (await cli.json('list', path, 'predictions', '--limit', '7')).answer as { rows: { prediction_id: string }[] }
  const ids = rows.map(({ prediction_id }) => prediction_id).sort()
  await change(
    path,
    `UPDATE store.prediction_arrays SET y_pred = y_pred || [1.0] WHERE prediction_id IN (${ids.map((id) => `'${id}'`).join(', ')})`,
  )
  for (const parameters of [
    ['verify', path, '--deep'],
    ['migrate', path, '--dry-run'],
  ]) {
    const { stdout } = await runCli(parameters, cli.home)
    expect(stdout).toContain(`\n  which: ${ids.slice(0, 5).join(', ')} and 2 more; --json names more of them\n  next: `)
    expect(stdout).toContain(` show ${path} ${ids[0]} --arrays shows one`)
  }
})

test('a ranking leaves out and names what it cannot rank', async () => {
  const path = await copyDemo()
  expect((await cli.json('migrate', path, '--yes')).code).toBe(0)
  const filter = ['--limit', '1', '--filter', 'partition=val']
  const { rows } = (await cli.json('list', path, 'predictions', ...filter)).answer as { rows: { prediction_id: string }[] }
  await change(path, `UPDATE store.predictions SET metric = 'my_own_figure' WHERE prediction_id = '${rows[0]?.prediction_id}'`)
  const top = await cli.json('top', path)
  expect([top.code, top.answer.unranked_metrics]).toEqual([0, ['my_own_figure']])
  expect(top.stderr).toContain('my_own_figure')
})

test('a ranking of refits shows the score by which they are ranked', async () => {
  const path = await copyDemo()
  const { answer } = await cli.json('top', path, '--fold-kind', 'refit', '-n', '1')
  const [best] = (answer as { rows: { test_score: number; dataset_name: string }[] }).rows
  const { stdout } = await runCli(['top', path, '--fold-kind', 'refit', '-n', '1'], cli.home)
  expect(stdout).toMatch(/test score/)
  expect(stdout.split('\n').find((line) => line.includes(best?.dataset_name ?? '-'))).toContain(String(best?.test_score).slice(0, 6))
})

test.runIf(hasSamples)('where there is nothing, lists and rankings say so', async () => {
  const path = await copySample('empty-new')
  expect(await runCli(['top', path], cli.home)).toMatchObject({ code: 0, stderr: expect.stringContaining('Nothing to rank') })
  expect(await runCli(['list', path, 'chains'], cli.home)).toMatchObject({ code: 0, stdout: 'There are no such chains.\n' })
})

test('while a writer holds the store, list and top answer from the last catalog and say from when it is', async () => {
  const path = await copyDemo()
  const first = await cli.json('list', path, 'datasets')
  expect(first.answer).not.toHaveProperty('catalog_as_of')
  const writer = await startWriter(join(path, 'store.duckdb'))
  await writer.run('CREATE TABLE store.written_meanwhile AS SELECT 1 AS one')
  for (const parameters of [
    ['list', path, 'datasets'],
    ['top', path],
  ]) {
    const { code, answer, stderr } = await cli.json(...parameters)
    expect([code, answer.catalog_as_of]).toEqual([0, expect.stringMatching(/^\d{4}-.*Z$/)])
    expect(stderr).toContain('Another process has the store open')
  }
  await writer.release()
})

test('with --json the answer no is one document too', async () => {
  const path = await copyDemo()
  for (const verb of ['migrate', 'rollback']) {
    const { code, stdout, stderr } = await answerCli([verb, path, '--json'], cli.home, 'n\n')
    expect([code, JSON.parse(stdout)]).toEqual([0, { agreed: false }])
    expect(stderr).toContain('Nothing was changed.')
  }
})

test('migrate begins nothing when its question would not be seen', async () => {
  const { code, stderr } = await runCliAfter('process.stdin.isTTY = true', ['migrate', await copyDemo()])
  expect([code, stderr]).toEqual([2, expect.stringContaining('--dry-run to see the plan. Nothing was changed.')])
})

test('Ctrl-C while a migration is planned ends as cancelled', async () => {
  const path = await copyDemo()
  const main = fileURLToPath(new URL('../main.ts', import.meta.url))
  const stopped = fileURLToPath(new URL('../testing/stop-at-plan.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', stopped, main, 'migrate', path, '--dry-run', '--json'], {
    env: { ...process.env, NIRS_WORKSPACE_HOME: cli.home },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let stdout = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  const [code] = await once(child, 'close')
  expect([code, JSON.parse(stdout)]).toEqual([5, { error: expect.objectContaining({ code: 'cancelled' }) }])
})

test.runIf(hasSamples)('what is refused a migration as it has lost its arrays is told where they are', async () => {
  const { answer } = await cli.json('migrate', await copySample('damaged-lost-arrays'), '--yes')
  expect(answer).toMatchObject({ error: { code: 'not_migratable', detail: expect.stringMatching(/529 predictions.*store\.duckdb\.bak/) } })
})
