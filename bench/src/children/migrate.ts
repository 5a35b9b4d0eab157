// A whole migration as the job process runs it: plan, stage, verify every value, rebuild the store, commit.
import { randomUUID } from 'node:crypto'
import { planMigration, runMigration } from '@nirs-workspace/storage'
import { answer, childArgument } from './answer.ts'

const path = childArgument(0)
const phases: { phase: string; at: number }[] = []
const started = performance.now()
const { plan_id } = await planMigration(path)
const planned = performance.now()
const report = await runMigration(path, {
  jobId: randomUUID(),
  planId: plan_id,
  onProgress: ({ phase }) => {
    if (phases.at(-1)?.phase !== phase) phases.push({ phase, at: performance.now() - planned })
  },
})
answer({
  plan_ms: planned - started,
  migrate_ms: performance.now() - planned,
  phases,
  rows: report.rows_migrated,
  passed: report.verification_passed,
  checked: report.verification_sample_size,
  parquet_bytes: report.parquet_total_size,
})
