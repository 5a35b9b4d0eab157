import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { benchDemo, migratedDemo, remakeMigratedDemo } from './demo-cache.ts'
import type { MeasurementGroup } from './measurement.ts'
import { runChild } from './run-child.ts'
import { median } from './timing.ts'

const Compressed = z.object({ bytes: z.number(), compress_ms: z.number() })
const Migrated = z.object({
  plan_ms: z.number(),
  migrate_ms: z.number(),
  rows: z.number(),
  checked: z.number(),
  passed: z.literal(true),
  parquet_bytes: z.number(),
  phases: z.array(z.object({ phase: z.string(), at: z.number() })),
})

const ROUNDS = 5
const MEGABYTE = 1_000_000
const GIGABYTE = 1_000_000_000

const phaseText = (phases: readonly { phase: string; at: number }[], end: number) =>
  phases.map(({ phase, at }, index) => `${phase} ${(((phases[index + 1]?.at ?? end) - at) / 1000).toFixed(1)} s`).join(', ')

const migrateOnce = () => remakeMigratedDemo((copy) => runChild('migrate', [copy], Migrated))

/** The migrated large demo; migrates it when no measurement has done so before. */
export const needMigratedDemo = async (): Promise<string> => {
  if (!existsSync(migratedDemo)) await migrateOnce()
  return migratedDemo
}

/** Migration of the large demo against bare compression of the same bytes; baseline and product take turns. */
export const measureMigration = async (): Promise<MeasurementGroup> => {
  const demo = await benchDemo('large')
  const baselines: z.output<typeof Compressed>[] = []
  const runs: (z.output<typeof Migrated> & { peak_rss_kb: number })[] = []
  for (let round = 0; round < ROUNDS; round++) {
    baselines.push(await runChild('compress-arrays', [demo], Compressed))
    runs.push(await migrateOnce())
  }
  const zstd = median(baselines.map((run) => run.compress_ms)) / 1000
  const seconds = median(runs.map((run) => run.migrate_ms)) / 1000
  const bytes = baselines[0]?.bytes ?? 0
  const store = statSync(join(demo, 'store.duckdb')).size
  const typical = runs.find((run) => run.migrate_ms / 1000 === seconds)
  const baseline = { name: `zstd -3 on one core, ${(bytes / MEGABYTE).toFixed(0)} MB of array bytes (s)`, value: zstd }
  return {
    title: 'Migration of 100 000 predictions, every value verified, store rebuilt',
    measurements: [
      {
        name: 'Migration ÷ zstd -3',
        value: seconds / zstd,
        unit: '×',
        goal: 8,
        baseline: null,
        note: phaseText(typical?.phases ?? [], seconds * 1000),
      },
      { name: 'Migration', value: seconds, unit: 's', goal: null, baseline },
      {
        name: 'Migration, for each GB of store.duckdb',
        value: (seconds * GIGABYTE) / store,
        unit: 's',
        goal: 60,
        baseline: null,
        note: `the store has ${(store / MEGABYTE).toFixed(0)} MB`,
      },
      { name: 'Plan (dry run)', value: median(runs.map((run) => run.plan_ms)) / 1000, unit: 's', goal: null, baseline },
      {
        name: 'Peak resident memory of the job',
        value: Math.max(...runs.map((run) => run.peak_rss_kb)) / 1024,
        unit: 'MB',
        goal: 1536,
        baseline: { name: 'array bytes (MB)', value: bytes / MEGABYTE },
      },
    ],
  }
}
