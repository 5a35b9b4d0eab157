import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { benchDemo, benchServerHome } from './demo-cache.ts'
import type { Measurement, MeasurementGroup } from './measurement.ts'
import { runChild } from './run-child.ts'
import { median } from './timing.ts'

const Milliseconds = z.array(z.number())
const Topped = z.object({
  top_ms: Milliseconds,
  all_ms: Milliseconds,
  rows_ms: Milliseconds,
  store_ms: Milliseconds,
  sql_ms: Milliseconds,
})
const Flushed = z.object({ flush_ms: Milliseconds })
const Inserted = z.object({ insert_ms: Milliseconds })

// The first two hold arrays, the last one metadata alone: what a flush appends to a file of 1 000 000 arrays is measured with the array store.
const sizes = [
  { rows: 10_000, demo: () => benchDemo('large', 10_000) },
  { rows: 100_000, demo: () => benchDemo('large') },
  { rows: 1_000_000, demo: () => benchDemo('huge') },
] as const

const spaced = (rows: number) => rows.toLocaleString('en').replaceAll(',', ' ')

const topOf = (rows: number, found: z.output<typeof Topped>): Measurement[] => {
  const baseline = { name: 'the same rows by one statement of SQL in the store (ms)', value: median(found.sql_ms) }
  const of = spaced(rows)
  return [
    {
      name: `Predictions: the 10 best of ${of}, of one dataset and metric`,
      value: median(found.top_ms),
      unit: 'ms',
      goal: rows === 1_000_000 ? 15 : 200,
      baseline,
    },
    {
      name: `Predictions: the 10 best of ${of}, of every dataset and metric`,
      value: median(found.all_ms),
      unit: 'ms',
      goal: null,
      baseline,
    },
    {
      name: `WorkspaceStore: the 10 best of ${of}, the store opened and closed`,
      value: median(found.store_ms),
      unit: 'ms',
      goal: 200,
      baseline,
    },
    {
      name: `Rows of 10 000 predictions of ${of}, without arrays`,
      value: median(found.rows_ms) / 1000,
      unit: 's',
      goal: 1,
      baseline: null,
    },
  ]
}

const firstAndOthers = ([first = Number.NaN, ...others]: readonly number[]) => ({ first, others: median(others) })

/** The first save of a process waits for the indexes of the store, nine of nirs4all's over its predictions: what that takes is the database's. */
const flushOf = (rows: number, { flush_ms }: z.output<typeof Flushed>, { insert_ms }: z.output<typeof Inserted>): Measurement[] => {
  const [flush, insert] = [firstAndOthers(flush_ms), firstAndOthers(insert_ms)]
  const name = `Flush of 1 000 predictions with arrays into ${spaced(rows)}`
  const baseline = (value: number) => ({ name: 'INSERT of as many rows, without arrays (ms)', value })
  return [
    { name, value: flush.others, unit: 'ms', goal: 500, baseline: baseline(insert.others), note: `median of ${flush_ms.length - 1}` },
    {
      name: `${name}, the first of a process`,
      value: flush.first,
      unit: 'ms',
      goal: rows === 1_000_000 ? null : 500,
      baseline: baseline(insert.first),
    },
  ]
}

const measureSize = async ({ rows, demo }: (typeof sizes)[number]): Promise<Measurement[]> => {
  const root = join(benchServerHome, `store-${rows}`)
  const cacheFolder = `${root}-cache`
  await rm(root, { recursive: true, force: true })
  await cp(await demo(), root, { recursive: true })
  await runChild('migrate', [root], z.object({ passed: z.literal(true) }))
  try {
    // Made beforehand: whoever asks for the best has opened the workspace before.
    await runChild('build-catalog', [root, cacheFolder], z.object({ build_ms: z.number() }))
    const found = await runChild('workspace-store', ['top', root, cacheFolder], Topped)
    const flushed = await runChild('workspace-store', ['flush', root], Flushed)
    const inserted = await runChild('workspace-store', ['insert', root], Inserted)
    return [...topOf(rows, found), ...flushOf(rows, flushed, inserted)]
  } finally {
    await rm(root, { recursive: true, force: true })
    await rm(cacheFolder, { recursive: true, force: true })
  }
}

/** Top lists, rows and saves of migrated workspaces at three sizes. */
export const measureStore = async (): Promise<MeasurementGroup> => {
  const measurements: Measurement[] = []
  for (const size of sizes) measurements.push(...(await measureSize(size)))
  return { title: 'Top lists and saves', measurements }
}
