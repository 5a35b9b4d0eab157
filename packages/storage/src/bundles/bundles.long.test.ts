import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { buildCatalog } from '../catalog/build-catalog.ts'
import { withEngine } from '../engine/open-engine.ts'
import type { ExportContext } from '../export/export-context.ts'
import { setFaultHook } from '../files/fault-point.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { makeStore, temporaryFolder } from '../testing/make-store.ts'
import { readZip } from '../testing/read-zip.ts'
import { copyWorkspace, hasSharedWorkspaces } from '../testing/shared-workspaces.ts'
import { changeStore } from '../testing/tamper.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { artifactIdsOf } from './chain-references.ts'
import { exportChain } from './export-chain.ts'
import { exportPipelineConfig } from './export-pipeline.ts'
import { exportPredictionsParquet } from './export-predictions.ts'
import { exportRun } from './export-run.ts'

const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex')

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterEach(() => setFaultHook(undefined))
afterAll(() => folder[Symbol.asyncDispose]())

const contextOf = async (path: string): Promise<ExportContext> => {
  const resolved = await resolveWorkspace(path)
  return { resolved, catalog: { file: await buildCatalog(resolved, { cacheFolder: join(folder.path, 'cache') }) } }
}

/** A workspace with two chains, models on disk, and ids that say nothing about file names. */
const makeWorkspace = async (name: string): Promise<string> => {
  const root = join(folder.path, name)
  await mkdir(join(root, 'artifacts', 'ab'), { recursive: true })
  await writeFile(join(root, 'artifacts', 'ab', 'model_PLS_1.joblib'), 'first model')
  await writeFile(join(root, 'artifacts', 'ab', 'model_PLS_2.joblib'), 'second model')
  const artifact = (id: string, path: string, hash: string) =>
    `INSERT INTO artifacts (artifact_id, artifact_path, content_hash, operator_class, artifact_type) VALUES ('${id}', '${path}', '${hash}', 'PLSRegression', 'model')`
  await makeStore(join(root, 'store.duckdb'), {
    release: '0.8.1',
    predictions: [
      { id: 'a' },
      { id: 'b', fold: 'final', refit: 'standalone', scores: '{"val": {"rmse": NaN}}' },
      { id: 'c', dataset: 'soil' },
    ],
    extra: [
      artifact('p$1:0', 'ab/model_PLS_1.joblib', `sha256:${sha256('first model')}`),
      artifact('p$1:1', 'ab/model_PLS_2.joblib', sha256('second model')),
      artifact('p$1:2', 'ab/never_written.joblib', sha256('never')),
      `UPDATE chains SET fold_artifacts = '{"fold_0": "p$1:0", "fold_final": "p$1:1"}', shared_artifacts = '{"1": ["p$1:0"]}',
         source_index = 2, cv_fold_count = 3, cv_scores = '{"val": {"rmse": 0.5}}', final_scores = '{"test": {"rmse": NaN}}',
         steps = '[{"step_idx": 1, "params": {"x": NaN}, "artifact_ids": ["p$1:0"]}]' WHERE chain_id = 'c-wheat'`,
      `UPDATE chains SET fold_artifacts = '{"fold_0": "p$1:0", "fold_1": "p$1:2", "fold_2": "unknown"}' WHERE chain_id = 'c-soil'`,
      `UPDATE pipelines SET expanded_config = '["SNV", {"model": "PLS", "tol": Infinity, "seed": 12345678901234567890}]', best_val = 'NaN', dataset_hash = 'd41d' WHERE pipeline_id = 'p-wheat'`,
    ],
  })
  return root
}

test('export_run: a run as YAML, JSON columns as structures, nothing changed in the workspace', async () => {
  const root = await makeWorkspace('run')
  const before = await hashTree(root)
  const yaml = await exportRun(await contextOf(root), 'run-1')
  expect(yaml).toContain('run_id: "run-1"\nname: "Morning screen"\nstatus: "completed"\n')
  expect(yaml).toContain('    best_val: .nan\n')
  expect(yaml).toContain(
    '    expanded_config:\n      - "SNV"\n      - model: "PLS"\n        tol: .inf\n        seed: 12345678901234567890\n',
  )
  expect(yaml).toContain('        fold_artifacts:\n          fold_0: "p$1:0"\n          fold_final: "p$1:1"\n')
  expect(yaml).toMatch(/ {4}dataset_hash: "d41d"\n {4}status: .*\n {4}created_at: "\d{4}-.*\n {4}completed_at: null\n/)
  expect(yaml).toContain('        source_index: 2\n')
  expect(yaml).toContain('        cv_fold_count: 3\n        cv_scores:\n          val:\n            rmse: 0.5\n')
  expect(yaml).toContain('        final_scores:\n          test:\n            rmse: .nan\n')
  expect(yaml.match(/chain_id: /g)).toHaveLength(2)
  expect(await hashTree(root)).toBe(before)
  await expect(exportRun(await contextOf(root), 'nobody')).rejects.toMatchObject({ code: 'run_not_found' })
})

test('export of a pipeline: its steps exactly as stored', async () => {
  const context = await contextOf(await makeWorkspace('pipeline'))
  expect(await exportPipelineConfig(context, 'p-wheat')).toBe('["SNV", {"model": "PLS", "tol": Infinity, "seed": 12345678901234567890}]')
  await expect(exportPipelineConfig(context, 'p-wheat', 'template')).rejects.toMatchObject({ code: 'pipeline_not_found' })
  await expect(exportPipelineConfig(context, 'nobody')).rejects.toMatchObject({ code: 'pipeline_not_found' })
})

test('export_predictions_parquet: every column of the predictions, one row each', async () => {
  const root = await makeWorkspace('predictions')
  const target = join(folder.path, 'predictions.parquet')
  const context = await contextOf(root)
  const written = await exportPredictionsParquet(context, { target, filters: { equals: { dataset_name: ['wheat'] } } })
  expect(written).toMatchObject({ rows: 2, path: target, sha256: sha256(await readFile(target)) })
  const rows = await withEngine({}, (engine) =>
    engine.rows(z.looseObject({ prediction_id: z.string() }), `SELECT * FROM read_parquet('${target}')`),
  )
  expect(rows).toMatchObject([
    { prediction_id: 'a', run_id: 'run-1', best_params: '{"n_components": 5}', created_at_text: expect.stringMatching(/^\d{4}-.*:\d\d/) },
    { prediction_id: 'b', fold_kind: 'refit' },
  ])
  await expect(exportPredictionsParquet(context, { target: join(root, 'x.parquet') })).rejects.toMatchObject({ code: 'path_not_allowed' })
})

describe('export_chain', () => {
  test('a bundle holds the models by their ids, every file with its hash', async () => {
    const root = await makeWorkspace('chain')
    const before = await hashTree(root)
    const target = join(folder.path, 'chain.n4a')
    const context = await contextOf(root)
    const inside = exportChain(context, { chain_id: 'c-wheat', target: join(root, 'chain.n4a') })
    await expect(inside).rejects.toMatchObject({ code: 'path_not_allowed' })
    const { manifest, sha256: whole } = await exportChain(context, { chain_id: 'c-wheat', target })
    expect(whole).toBe(sha256(await readFile(target)))
    const files = readZip(await readFile(target))
    expect(JSON.parse(files.get('manifest.json')?.toString() ?? '')).toEqual(manifest)
    expect(manifest).toMatchObject({ fold_strategy: 'single_refit', has_refit: true, missing: [], dataset_name: 'wheat', run_id: 'run-1' })
    expect(manifest.warnings).toEqual([expect.stringContaining('"soil"')])
    expect(files.get(manifest.artifacts['p$1:0']?.file ?? '')?.toString()).toBe('first model')
    expect(files.get(manifest.artifacts['p$1:1']?.file ?? '')?.toString()).toBe('second model')
    expect(files.get('chain.json')?.toString()).toContain('"steps": [{"step_idx": 1, "params": {"x": NaN}, "artifact_ids": ["p$1:0"]}]')
    expect([...files.keys()].sort()).toEqual(['manifest.json', ...manifest.files.map(({ path }) => path)].sort())
    for (const { path, bytes, sha256: hash } of manifest.files) {
      expect([files.get(path)?.length, sha256(files.get(path) ?? '')]).toEqual([bytes, hash])
    }
    expect(await hashTree(root)).toBe(before)
  })

  test('two models of one file name are both in the bundle, each with its own bytes', async () => {
    const root = await makeWorkspace('namesakes')
    await mkdir(join(root, 'artifacts', 'cd'))
    await rename(join(root, 'artifacts', 'ab', 'model_PLS_2.joblib'), join(root, 'artifacts', 'cd', 'model_PLS_1.joblib'))
    await changeStore(
      join(root, 'store.duckdb'),
      "UPDATE artifacts SET artifact_path = 'cd/model_PLS_1.joblib' WHERE artifact_id = 'p$1:1'",
    )
    const target = join(folder.path, 'namesakes.n4a')
    const { manifest } = await exportChain(await contextOf(root), { chain_id: 'c-wheat', target })
    const files = readZip(await readFile(target))
    const models = ['p$1:0', 'p$1:1'].map((id) => files.get(manifest.artifacts[id]?.file ?? '')?.toString())
    expect(models).toEqual(['first model', 'second model'])
  })

  test('names in a bundle lead nowhere, and are free where another model has been given such a name', async () => {
    const root = await makeWorkspace('odd-names')
    const models = join(root, 'artifacts', 'ab')
    const second = sha256('second model')
    const taken = `${second.slice(0, 16)}_m.joblib`
    await rename(join(models, 'model_PLS_1.joblib'), join(models, '..\\..\\evil: 1.joblib'))
    for (const [name, bytes] of [
      ['m.joblib', 'third model'],
      [taken, 'fourth model'],
    ] as const)
      await writeFile(join(models, name), bytes)
    await mkdir(join(root, 'artifacts', 'cd'))
    await rename(join(models, 'model_PLS_2.joblib'), join(root, 'artifacts', 'cd', 'm.joblib'))
    await changeStore(
      join(root, 'store.duckdb'),
      `UPDATE artifacts SET artifact_path = 'ab/..\\..\\evil: 1.joblib' WHERE artifact_id = 'p$1:0';
       UPDATE artifacts SET artifact_path = 'cd/m.joblib' WHERE artifact_id = 'p$1:1';
       INSERT INTO artifacts (artifact_id, artifact_path, content_hash) VALUES ('p$1:00', 'ab/m.joblib', '${sha256('third model')}'), ('p$1:01', 'ab/${taken}', '${sha256('fourth model')}');
       UPDATE chains SET fold_artifacts = '{"fold_0": "p$1:0", "fold_1": "p$1:00", "fold_2": "p$1:01", "fold_3": "p$1:1"}' WHERE chain_id = 'c-wheat'`,
    )
    const target = join(folder.path, 'odd-names.n4a')
    const { manifest } = await exportChain(await contextOf(root), { chain_id: 'c-wheat', target })
    const files = readZip(await readFile(target))
    const named = ['p$1:0', 'p$1:00', 'p$1:01', 'p$1:1'].map((id) => manifest.artifacts[id]?.file ?? '')
    expect(named.map((name) => files.get(name)?.toString())).toEqual(['first model', 'third model', 'fourth model', 'second model'])
    expect(named[0]).toBe('artifacts/evil_ 1.joblib')
  })

  test('a bundle has its name only when it is whole; one that fails leaves what was there', async () => {
    const context = await contextOf(await makeWorkspace('whole'))
    const own = join(folder.path, 'bundles')
    await mkdir(own)
    const target = join(own, 'chain.n4a')
    await writeFile(target, 'older')
    setFaultHook(({ kind }) => {
      if (kind === 'fsync') throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
    })
    await expect(exportChain(context, { chain_id: 'c-wheat', target })).rejects.toThrow('EIO')
    setFaultHook(undefined)
    expect([await readdir(own), await readFile(target, 'utf8')]).toEqual([['chain.n4a'], 'older'])
    const { sha256: whole } = await exportChain(context, { chain_id: 'c-wheat', target })
    expect(sha256(await readFile(target))).toBe(whole)
  })

  test('models that are not there: refused by default, named when wanted', async () => {
    const context = await contextOf(await makeWorkspace('missing'))
    const target = join(folder.path, 'missing.n4a')
    await expect(exportChain(context, { chain_id: 'c-soil', target })).rejects.toMatchObject({
      code: 'artifact_missing',
      fields: { ids: ['unknown', 'p$1:2'] },
    })
    const { manifest } = await exportChain(context, { chain_id: 'c-soil', target, allowMissing: true })
    expect(manifest.missing).toEqual(['unknown', 'p$1:2'])
    await expect(exportChain(context, { chain_id: 'nobody', target })).rejects.toMatchObject({ code: 'chain_not_found' })
  })

  test('a model that is another file than the store knows, or a link, is refused', async () => {
    const root = await makeWorkspace('damaged')
    const context = await contextOf(root)
    const target = join(folder.path, 'damaged.n4a')
    const model = join(root, 'artifacts', 'ab', 'model_PLS_1.joblib')
    await writeFile(model, 'other bytes')
    await expect(exportChain(context, { chain_id: 'c-wheat', target })).rejects.toMatchObject({ code: 'artifact_corrupt' })
    await unlink(model)
    await symlink('/etc/hostname', model)
    await expect(exportChain(context, { chain_id: 'c-wheat', target })).rejects.toMatchObject({ code: 'artifact_corrupt' })
    await expect(readFile(target)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

test('ids of a chain: folds, steps, shared ones and their map of sources; text that is no JSON names none', () => {
  const chain = {
    steps: '[{"step_idx": 1, "operator_class": "SNV", "artifact_ids": ["a"]}, {"params": {"id": "no"}}]',
    fold_artifacts: '{"fold_0": "b", "fold_1": "a"}',
    shared_artifacts: '{"1": ["c"], "_source_map": {"1": {"0": ["d"]}}}',
  }
  expect(artifactIdsOf(chain).sort()).toEqual(['a', 'b', 'c', 'd'])
  expect(artifactIdsOf({ steps: 'no json', fold_artifacts: null, shared_artifacts: '[' })).toEqual([])
})

describe.skipIf(!hasSharedWorkspaces())('workspaces written by nirs4all', () => {
  test.each(['hybrid-0.8.1', 'sqlite-0.11'] as const)('every chain of %s whose models are there becomes a bundle', async (name) => {
    await using copy = await copyWorkspace(name)
    const before = await hashTree(copy.path)
    const context = await contextOf(copy.path)
    const chains = await withEngine({}, async (engine) => {
      await engine.run(`ATTACH '${context.catalog.file.path}' AS catalog (READ_ONLY)`)
      return engine.rows(z.object({ chain_id: z.string() }), 'SELECT chain_id FROM catalog.chains ORDER BY chain_id')
    })
    let complete = 0
    for (const { chain_id } of chains) {
      const { manifest } = await exportChain(context, { chain_id, target: join(folder.path, `${name}.n4a`), allowMissing: true })
      if (manifest.missing.length === 0) complete += 1
      expect(Object.keys(manifest.artifacts).length + manifest.missing.length).toBeGreaterThan(0)
    }
    expect(complete).toBeGreaterThan(chains.length / 2)
    expect(await hashTree(copy.path)).toBe(before)
  })
})
