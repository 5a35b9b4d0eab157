import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { attachWritable, Predictions, withEngine } from '@nirs-workspace/storage'
import type { PredictionRow, SavedTemplate, Template } from '@nirs-workspace/types'
import { beforeAll, expect, test } from 'vitest'
import { cliHome } from '../src/testing/cli-home.ts'
import { runCli } from '../src/testing/run-cli.ts'
import { treeHash } from '../src/testing/tree-hash.ts'
import { copyDemo } from '../src/testing/workspace-copies.ts'

const cli = cliHome()

let demo: string
let prediction: PredictionRow
beforeAll(async () => {
  demo = await copyDemo()
  await using predictions = await Predictions.open(demo, { cacheFolder: join(cli.home, 'own'), datasetName: 'milk_adulteration' })
  for await (const row of predictions.rows()) prediction = row
})

test('templates are saved, found, taken along, deleted with a question and brought back', async () => {
  const path = await copyDemo()
  const library = (verb: string, ...words: string[]) => cli.json('library', verb, path, ...words)
  const steps = join(cli.home, 'steps.json')
  await writeFile(steps, '["nirs4all.operators.transforms.StandardNormalVariate", {"model": "sklearn.linear_model.Ridge", "alpha": 1.0}]')
  const saved = (await library('save', steps, '--name', 'Ridge', '--tag', 'baseline')).answer as SavedTemplate
  expect([saved.status, saved.template.id, saved.template.tags]).toEqual(['created', 'general/ridge', ['baseline']])
  const copied = (await library('copy', String(prediction.pipeline_id), '--name', 'Milk')).answer as SavedTemplate
  expect([copied.status, Object.keys(copied.template.metrics)]).toEqual([
    'created',
    expect.arrayContaining([expect.stringMatching(/^val_/)]),
  ])
  expect((await library('list', '--search', 'sklearn ridge')).answer).toMatchObject({ total: 1, rows: [{ name: 'Ridge' }] })

  const file = join(cli.home, 'ridge.json')
  expect((await library('export', 'Ridge', '-o', file)).code).toBe(0)
  const imported = (await library('import', file, '--name', 'Again', '--keep-duplicate')).answer as SavedTemplate
  expect([imported.status, imported.template.content_hash]).toEqual(['created', saved.template.content_hash])

  const before = treeHash(path)
  expect((await library('delete', 'Ridge')).code).toBe(2)
  const preview = await library('delete', 'general/ridge', '--dry-run')
  expect([preview.answer.template, treeHash(path)]).toEqual([saved.template, before])
  const shown = (await library('show', 'Ridge')).answer as Template
  const { answer } = await library('delete', 'Ridge', '--yes')
  expect(answer).toMatchObject({
    template: preview.answer.template,
    restore_command: `nirs-workspace library restore ${path} ${answer.trash_id}`,
  })
  expect((await library('show', 'Ridge')).code).toBe(2)
  expect((await library('restore', String(answer.trash_id))).code).toBe(0)
  expect((await library('show', 'Ridge')).answer).toEqual(shown)

  await library('delete', 'Again', '--yes')
  expect((await library('trash')).answer).toMatchObject({ total: 1, rows: [{ name: 'Again', reason: 'deleted' }] })
  expect((await library('empty-trash')).code).toBe(2)
  expect((await library('empty-trash', 'nothing', '--yes')).answer).toMatchObject({ error: { code: 'trash_not_found' } })
  expect((await library('empty-trash', '--yes')).answer).toMatchObject({ removed: 1 })
})

test.each([
  ['template_not_found', 'show', 'nope'],
  ['template_not_found', 'export', 'nope', '-o', 'none.json'],
  ['template_not_found', 'import', 'none.json'],
  ['template_not_found', 'delete', 'nope', '--yes'],
  ['trash_not_found', 'restore', 'nope'],
  ['trash_not_found', 'empty-trash', 'nope', '--yes'],
  ['pipeline_not_found', 'copy', 'nope', '--name', 'x'],
])('what the library does not hold is %s: library %s', async (code, verb, ...rest) => {
  const answer = await cli.json('library', verb, demo, ...rest)
  expect([answer.code, answer.answer]).toEqual([2, { error: expect.objectContaining({ code }) }])
})

test('runs, pipelines, chains and predictions are taken along as files, never into a workspace', async () => {
  const before = treeHash(demo)
  const { run_id, pipeline_id, chain_id } = prediction
  const yaml = await runCli(['export-run', demo, String(run_id)], cli.home)
  expect([yaml.code, yaml.stdout]).toEqual([0, expect.stringContaining(`run_id: "${run_id}"`)])
  const file = join(cli.home, 'run.yaml')
  const written = await cli.json('export-run', demo, String(run_id), '-o', file)
  expect(written.answer).toEqual({ files: [{ path: file, bytes: expect.any(Number), sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }] })
  expect(await readFile(file, 'utf8')).toBe(yaml.stdout)
  expect((await cli.json('export-run', demo, String(run_id), '-o', join(demo, 'run.yaml'))).code).toBe(4)

  const steps = await cli.json('export-pipeline', demo, String(pipeline_id))
  expect(JSON.parse(String(steps.answer.pipeline_json))).toEqual(expect.any(Array))
  const bundle = join(cli.home, 'chain.n4a')
  const chain = await cli.json('export-chain', demo, String(chain_id), '-o', bundle)
  expect([chain.code, chain.answer.manifest]).toEqual([0, expect.objectContaining({ chain_id, missing: [] })])
  const table = await cli.json('export-predictions', demo, '-o', join(cli.home, 'all.parquet'), '--filter', 'partition=val')
  expect(table.answer).toMatchObject({ files: [{ rows: 40 }] })
  expect((await cli.json('export-chain', demo, 'none', '-o', join(cli.home, 'none.n4a'))).answer).toMatchObject({
    error: { code: 'chain_not_found' },
  })
  expect(treeHash(demo)).toBe(before)
})

test('the files of datasets are looked for where the runs recorded them and below the roots', async () => {
  const path = await copyDemo()
  const file = join(await mkdtemp(join(cli.home, 'data-')), 'wheat.csv')
  await writeFile(file, 'a;b\n1;2\n')
  const recorded = JSON.stringify([{ name: 'wheat_protein', path: '/nowhere/wheat.csv', file_size: 8 }])
  await withEngine({}, async (engine) => {
    await attachWritable(engine, join(path, 'store.duckdb'), 'store')
    await engine.run(`UPDATE store.runs SET datasets = '${recorded}' WHERE name = 'wheat-protein-screen'`)
  })
  const { code, answer } = await cli.json('resolve-datasets', path, '--root', join(file, '..'))
  expect([code, answer.total]).toEqual([0, 5])
  expect(answer.rows).toContainEqual(
    expect.objectContaining({ name: 'wheat_protein', status: 'relocated', path: file, verified_by: 'size' }),
  )
  const text = await runCli(['resolve-datasets', path, '--check'], cli.home)
  expect([text.code, text.stdout]).toEqual([1, expect.stringMatching(/wheat_protein +missing/)])
})
