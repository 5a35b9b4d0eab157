import { mkdir, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ArrayStore, Predictions } from '@nirs-workspace/storage'
import { type Snapshot, snapshot } from '@nirs-workspace/storage/testing'
import { MaintenanceCounts, type PredictionRow, RestoreReport, TrashList } from '@nirs-workspace/types'
import { describe, expect, test } from 'vitest'
import { cliHome } from '../src/testing/cli-home.ts'
import { answerCli, runCli } from '../src/testing/run-cli.ts'
import { treeHash } from '../src/testing/tree-hash.ts'
import { copyDemo, copyMigratedDemo, copySample, hasSamples } from '../src/testing/workspace-copies.ts'

const cli = cliHome()

/** Some prediction of the demo; all copies of it hold the same. */
const somePrediction = async (path: string, dataset = 'wheat_protein'): Promise<PredictionRow> => {
  await using predictions = await Predictions.open(path, { cacheFolder: join(cli.home, 'own'), datasetName: dataset })
  for await (const row of predictions.rows()) return row
  throw new Error(`no prediction of ${dataset}`)
}

/** A verb with what makes a workspace ready for it, its parameters, and whose tables it changes. */
interface Removal {
  verb: string
  prepare?: (path: string) => Promise<void>
  parameters: (path: string) => Promise<string[]> | string[]
  gone: (keyof Snapshot['tables'] | 'arrays' | 'models')[]
}

const strayModel = async (path: string): Promise<void> => {
  await mkdir(join(path, 'artifacts', 'zz'), { recursive: true })
  await writeFile(join(path, 'artifacts', 'zz', 'stray.joblib'), 'a model')
}
const loseArrays = async (path: string): Promise<void> => {
  const { prediction_id } = await somePrediction(path)
  await ArrayStore.open(path).deleteBatch(new Set([prediction_id]))
  await ArrayStore.open(path).compact()
}

const removals: Removal[] = [
  {
    verb: 'remove-run',
    parameters: async (path) => [String((await somePrediction(path)).run_id)],
    gone: ['runs', 'predictions', 'arrays'],
  },
  { verb: 'remove-dataset', parameters: () => ['olive_oil_origin'], gone: ['predictions', 'arrays'] },
  { verb: 'remove-predictions', parameters: async (path) => [(await somePrediction(path)).prediction_id], gone: ['predictions', 'arrays'] },
  { verb: 'remove-bottom', parameters: () => ['--fraction', '0.25'], gone: ['predictions', 'arrays'] },
  { verb: 'clean-dead-links', prepare: loseArrays, parameters: () => ['--grace-hours', '0'], gone: ['predictions'] },
  { verb: 'gc', prepare: strayModel, parameters: () => ['--grace-hours', '0', '--include-unregistered'], gone: ['models'] },
]

/** How many rows of each table, arrays and models less there are. */
const difference = (before: Snapshot, after: Snapshot): Record<string, number> => {
  const tables = Object.keys(before.tables).map((table) => [
    table,
    (before.tables[table]?.length ?? 0) - (after.tables[table]?.length ?? 0),
  ])
  const arrays = Object.keys(before.arrays).length - Object.keys(after.arrays).length
  return { ...Object.fromEntries(tables), arrays, files: Object.keys(before.models).length - Object.keys(after.models).length }
}

describe.concurrent('removals', () => {
  test.each(removals)(
    '$verb does what its preview says, and restore brings everything back',
    async ({ verb, prepare, parameters, gone }) => {
      const path = await copyMigratedDemo()
      await prepare?.(path)
      const words = [verb, path, ...(await parameters(path))]
      const before = await snapshot(path)
      const untouched = treeHash(path)

      const preview = await cli.json(...words, '--dry-run')
      expect([preview.code, treeHash(path)]).toEqual([0, untouched])
      expect(preview.answer).toMatchObject({
        plan_id: expect.any(String),
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
        examples: expect.any(Array),
      })
      const counts = MaintenanceCounts.parse(preview.answer.counts)

      const done = await cli.json(...words, '--yes')
      expect(done.code).toBe(0)
      const { operation_id, restore_command, duration_seconds, created_at: _, ...same } = done.answer
      const { created_at: __, ...promised } = preview.answer
      expect(same).toEqual(promised)
      expect([duration_seconds, restore_command]).toEqual([expect.any(Number), `nirs-workspace restore ${path} ${operation_id}`])

      const lost = difference(before, await snapshot(path))
      const { bytes: _bytes, other_rows: _other, ...counted } = counts
      expect(lost).toMatchObject(counted)
      for (const what of gone) expect(lost[what === 'models' ? 'files' : what]).toBeGreaterThan(0)

      const restored = await cli.json('restore', path, String(operation_id), '--yes')
      expect([restored.code, RestoreReport.parse(restored.answer).counts]).toEqual([0, counts])
      expect(await snapshot(path)).toEqual(before)
    },
  )

  test.runIf(hasSamples).each(['hybrid-0.8.1', 'sqlite-0.11'])('%s: a run goes and comes back', async (name) => {
    const path = await copySample(name)
    const before = await snapshot(path)
    const { run_id } = await somePrediction(path, 'oil_moisture')
    const { operation_id } = (await cli.json('remove-run', path, String(run_id), '--yes')).answer
    expect((await snapshot(path)).tables.runs).toHaveLength((before.tables.runs?.length ?? 0) - 1)
    expect((await cli.json('restore', path, String(operation_id), '--yes')).code).toBe(0)
    expect(await snapshot(path)).toEqual(before)
  })
})

test('without a terminal and without --yes the preview is shown and nothing changes', async () => {
  const path = await copyMigratedDemo()
  const before = treeHash(path)
  const words = ['remove-dataset', path, 'wheat_protein']
  const refused = await runCli(words, cli.home)
  expect([refused.code, refused.stdout]).toEqual([2, ''])
  expect(refused.stderr).toMatch(/Would remove from [\s\S]* 47 predictions[\s\S]*Kept:[\s\S]*--yes/)
  const { code, answer } = await cli.json(...words)
  expect([code, answer]).toEqual([2, { error: expect.objectContaining({ code: 'validation', detail: expect.stringContaining('--yes') }) }])
  expect(treeHash(path)).toBe(before)
})

test('at a terminal the question decides: no, Ctrl-C and the end of input change nothing, yes removes', async () => {
  const path = await copyMigratedDemo()
  const before = treeHash(path)
  const words = ['remove-dataset', path, 'wheat_protein']
  const no = await answerCli(words, cli.home, 'n\n')
  expect([no.code, no.stdout, no.stderr]).toEqual([0, '', expect.stringContaining('Nothing was changed.')])
  const interrupted = await answerCli(words, cli.home, '\u0003')
  expect([interrupted.code, interrupted.stdout]).toEqual([5, ''])
  const ended = await answerCli(words, cli.home, '\u0004')
  expect([ended.code, ended.stdout]).toEqual([0, ''])
  expect(treeHash(path)).toBe(before)
  const yes = await answerCli(words, cli.home, 'y\n')
  expect([yes.code, yes.stdout]).toEqual([
    0,
    expect.stringMatching(/Removed from [\s\S]* 47 predictions[\s\S]* {2}nirs-workspace restore \S+ remove-dataset-\S+\n$/),
  ])
})

test.skipIf(!hasSamples)(
  'compact says of the rows that it drops the same as its preview, and apart from that what became of the files',
  async () => {
    const path = await copySample('hybrid-0.8.1')
    const rows = /^ +1 row of an array file, about 171 B$/m
    const preview = await runCli(['compact', path, '--dry-run'], cli.home)
    expect(preview.stdout).toMatch(rows)
    const before = (await stat(join(path, 'arrays', 'oil_moisture.parquet'))).size
    const done = await runCli(['compact', path, '--yes'], cli.home)
    expect(done.stdout).toMatch(rows)
    const after = (await stat(join(path, 'arrays', 'oil_moisture.parquet'))).size
    const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`
    expect(done.stdout).toContain(`Array files: ${kilobytes(before)}, now ${kilobytes(after)}`)
  },
)

test('the trash lists what was removed, compact drops its rows, empty-trash gives it up', async () => {
  const path = await copyMigratedDemo()
  const { operation_id } = (await cli.json('remove-dataset', path, 'wheat_protein', '--yes')).answer
  const other = (await cli.json('remove-predictions', path, (await somePrediction(path, 'milk_adulteration')).prediction_id, '--yes'))
    .answer
  const listed = TrashList.parse((await cli.json('trash', path)).answer)
  expect(listed.rows.map((row) => row.operation_id)).toEqual([other.operation_id, operation_id])
  expect((await runCli(['trash', path], cli.home)).stdout).toContain(`${operation_id}`)

  const compacting = await cli.json('compact', path, '--dry-run')
  const datasets = compacting.answer.datasets as Record<string, { rows_removed: number }>
  expect(Object.values(datasets).reduce((sum, { rows_removed }) => sum + rows_removed, 0)).toBe(1)
  const rowsBefore = (await ArrayStore.open(path).stats()).total_rows
  const compacted = await cli.json('compact', path, '--yes')
  expect([compacted.code, compacted.answer.operation_id, compacted.answer.restore_command]).toEqual([0, null, null])
  expect(rowsBefore - (await ArrayStore.open(path).stats()).total_rows).toBe(1)

  const words = ['empty-trash', path, String(operation_id)]
  expect((await cli.json(...words, '--dry-run')).answer.operations).toEqual([operation_id])
  expect((await cli.json(...words, '--yes')).answer).toEqual({ operations: [operation_id], damaged: [], bytes_freed: expect.any(Number) })
  expect((await cli.json('restore', path, String(operation_id), '--yes')).answer).toMatchObject({ error: { code: 'trash_not_found' } })

  const { operation_id: damaged } = (await cli.json('remove-dataset', path, 'olive_oil_origin', '--yes')).answer
  await writeFile(join(path, '.nirs-workspace', 'trash', String(damaged), 'manifest.json'), '{')
  expect((await runCli(['trash', path], cli.home)).stdout).toMatch(new RegExp(`^${damaged} +- .* damaged$`, 'm'))
  expect((await cli.json('empty-trash', path, '--yes')).answer).toMatchObject({ operations: [other.operation_id], damaged: [damaged] })
  const left = await runCli(['empty-trash', path], cli.home)
  expect([left.code, left.stdout]).toEqual([0, expect.stringMatching(new RegExp(`^Left, as it is damaged:\\s+${damaged}`))])
  expect((await cli.json('empty-trash', path, String(damaged), '--yes')).answer.operations).toEqual([damaged])
  expect((await runCli(['empty-trash', path], cli.home)).stdout).toBe('The trash is empty.\n')
})

test('a dataset that cannot be read is left alone, named, and makes clean-dead-links exit with 1', async () => {
  const path = await copyMigratedDemo()
  const file = join(path, 'arrays', 'wheat_protein.parquet')
  await writeFile(file, 'no Parquet')
  await utimes(file, new Date(0), new Date(0))
  const { code, answer } = await cli.json('clean-dead-links', path, '--grace-hours', '0', '--yes')
  expect([code, answer.refused]).toEqual([1, [expect.objectContaining({ dataset_name: 'wheat_protein' })]])
  expect((await runCli(['clean-dead-links', path, '--dry-run'], cli.home)).stdout).toMatch(/nothing to remove[\s\S]*all of wheat_protein/)
})

test.each([
  [['remove-bottom', '.', '--fraction', 'half'], 2],
  [['remove-run', '/nowhere', 'run'], 3],
])('%j is refused with exit code %i', async (words, code) => {
  expect((await cli.json(...words, '--dry-run')).code).toBe(code)
})

test('a pipeline or a chain goes with what belongs to it', async () => {
  const path = await copyMigratedDemo()
  const { pipeline_id, chain_id } = await somePrediction(path)
  const chain = await cli.json('remove-chain', path, String(chain_id), '--dry-run')
  expect([chain.code, chain.answer.counts]).toEqual([0, expect.objectContaining({ runs: 0, pipelines: 0, chains: 1 })])
  const pipeline = await cli.json('remove-pipeline', path, String(pipeline_id), '--dry-run')
  expect([pipeline.code, pipeline.answer.counts]).toEqual([0, expect.objectContaining({ runs: 0, pipelines: 1, chains: 1 })])
})

test('what is not there and what must be migrated first are refused, and nothing changes', async () => {
  const path = await copyDemo()
  const before = treeHash(path)
  expect((await cli.json('remove-dataset', path, 'wheat_protein', '--yes')).code).toBe(4)
  expect(treeHash(path)).toBe(before)
  expect((await cli.json('trash', path)).answer).toEqual({ rows: [], total: 0 })
  expect((await cli.json('restore', path, 'no-such-operation', '--yes')).code).toBe(2)
})

test('a dry run of a restore refuses what the restore would refuse, and changes nothing', async () => {
  const path = await copyMigratedDemo()
  const { operation_id } = (await cli.json('remove-dataset', path, 'olive_oil_origin', '--yes')).answer
  const restoring = ['restore', path, String(operation_id)]
  const unknown = await cli.json(...restoring, '--id', 'nosuch', '--dry-run')
  expect([unknown.code, unknown.answer.error]).toEqual([2, expect.objectContaining({ code: 'trash_not_found' })])
  expect((await cli.json(...restoring, '--dry-run')).code).toBe(0)
  await writeFile(join(path, 'arrays', '_tombstones.json'), '{"torn')
  const before = treeHash(path)
  const refused = [5, expect.objectContaining({ code: 'tombstones_corrupt' })]
  const dry = await cli.json(...restoring, '--dry-run')
  expect([dry.code, dry.answer.error, treeHash(path)]).toEqual([...refused, before])
  const real = await cli.json(...restoring, '--yes')
  expect([real.code, real.answer.error]).toEqual(refused)
})

test('a dataset or a metric that the workspace does not have is named, and told from one with nothing to remove', async () => {
  const path = await copyMigratedDemo()
  const before = treeHash(path)
  const bottom = ['remove-bottom', path, '--fraction', '0.2']
  for (const words of [bottom, ['clean-dead-links', path], ['compact', path]]) {
    for (const how of ['--dry-run', '--yes']) {
      const { code, answer } = await cli.json(...words, '--dataset', 'nosuch', how)
      const error = expect.objectContaining({
        code: 'dataset_not_found',
        detail: expect.stringContaining('"nosuch"'),
        hint: expect.stringContaining('"wheat_protein"'),
      })
      expect([code, answer], words[0]).toEqual([2, { error }])
    }
  }
  const { code, answer } = await cli.json(...bottom, '--metric', 'nosuch', '--yes')
  const error = expect.objectContaining({
    code: 'validation',
    detail: expect.stringContaining('metric "nosuch"'),
    hint: expect.stringContaining('"mse"'),
  })
  expect([code, answer]).toEqual([2, { error }])
  expect((await cli.json('remove-bottom', path, '--fraction', '0', '--metric', 'MSE', '--dataset', 'wheat_protein', '--yes')).code).toBe(0)
  expect((await cli.json('remove-bottom', path, '--fraction', '0', '--metric', 'val_score', '--yes')).code).toBe(0)
  expect(treeHash(path)).toBe(before)
})

test('a dataset that only array files know is there', async () => {
  const path = await copyMigratedDemo()
  await ArrayStore.open(path).saveBatch([{ prediction_id: 'nobody', dataset_name: 'stray', y_true: [1], y_pred: [2] }])
  const young = await cli.json('clean-dead-links', path, '--dataset', 'stray', '--yes')
  expect([young.code, young.answer.too_young]).toEqual([0, 1])
  expect((await cli.json('compact', path, '--dataset', 'stray', '--yes')).code).toBe(0)
})
