import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { benchServerHome } from './demo-cache.ts'
import type { Measurement, MeasurementGroup } from './measurement.ts'
import { runChild } from './run-child.ts'
import { least, median } from './timing.ts'

const Appended = z.object({ copy_ms: z.array(z.number()), flushed_ms: z.array(z.number()), append_ms: z.array(z.number()) })
const Loaded = z.object({ load_ms: z.number(), single_ms: z.number() })
const Copied = z.object({ copy_ms: z.number() })
const Compacted = z.object({ compact_ms: z.number(), removed: z.number().positive() })
const Checked = z.object({ deep_ms: z.number(), bytes: z.number() })
const Summarised = z.object({ summaries_ms: z.array(z.number()) })

// 1 000 000 rows of 250 samples come to 2 GB.
const sizes = [
  { rows: 10_000, samples: 250 },
  { rows: 100_000, samples: 250 },
  { rows: 1_000_000, samples: 250 },
] as const
const MEGABYTE = 1_000_000
/** What an append may cost beside the copy of the bytes, whatever the file. */
const fixedMs = 60

/** What takes less than a few seconds is measured several times: a disk that is busy for a moment would be most of it. */
const roundsOf = (rows: number): number => (rows < 100_000 ? 9 : rows < 1_000_000 ? 3 : 1)

/** One measurement after the other, each in a process of its own. */
const repeated = async <T>(rows: number, measure: () => Promise<T>): Promise<T[]> => {
  const results: T[] = []
  for (let round = 0; round < roundsOf(rows); round++) results.push(await measure())
  return results
}

const spaced = (rows: number) => rows.toLocaleString('en').replaceAll(',', ' ')

const child = <S extends z.ZodObject>(job: string, root: string, rows: number, samples: number, schema: S) =>
  runChild('array-store', [job, root, String(rows), String(samples)], schema)

const appendTo = async (root: string, rows: number, samples: number): Promise<Measurement[]> => {
  const appended = await child('append', root, rows, samples, Appended)
  const [append, copy, flushed] = [least(appended.append_ms), least(appended.copy_ms), least(appended.flushed_ms)]
  const baseline = { name: 'copy of the bytes of the file (ms)', value: copy }
  const name = `Append 1 000 predictions to ${spaced(rows)} (least of ${appended.append_ms.length})`
  const isLarge = rows === 1_000_000
  return [
    { name, value: append, unit: 'ms', goal: isLarge ? null : 500, baseline },
    ...(isLarge
      ? [
          {
            name: `${name}, (time − ${fixedMs} ms) ÷ copy`,
            value: (append - fixedMs) / copy,
            unit: '×',
            goal: 1.3,
            baseline: null,
            note: `what is appended is flushed to the disk: ${((append - fixedMs) / flushed).toFixed(2)} × a copy that is flushed, too (${flushed.toFixed(0)} ms)`,
          } as const,
        ]
      : []),
  ]
}

const readFrom = async (root: string, rows: number, samples: number): Promise<Measurement[]> => {
  const loads: z.output<typeof Loaded>[] = []
  for (let round = 0; round < 3; round++) loads.push(await child('load', root, rows, samples, Loaded))
  const checks = await repeated(rows, () => child('deep', root, rows, samples, Checked))
  const seconds = median(checks.map(({ deep_ms }) => deep_ms)) / 1000
  const bytes = checks[0]?.bytes ?? 0
  return [
    {
      name: `Load 10 000 predictions of ${spaced(rows)}`,
      value: median(loads.map(({ load_ms }) => load_ms)) / 1000,
      unit: 's',
      goal: 5,
      baseline: null,
    },
    {
      name: `Load one prediction of ${spaced(rows)}`,
      value: median(loads.map(({ single_ms }) => single_ms)),
      unit: 'ms',
      goal: null,
      baseline: null,
    },
    {
      name: `Deep check of ${(bytes / MEGABYTE).toFixed(0)} MB`,
      value: seconds,
      unit: 's',
      // 150 MB of compressed bytes a second.
      goal: bytes / (150 * MEGABYTE),
      baseline: null,
      note: `${(bytes / MEGABYTE / seconds).toFixed(0)} MB/s`,
    },
  ]
}

const compactAll = async (root: string, rows: number, samples: number): Promise<Measurement[]> => {
  const rounds = await repeated(rows, async () => ({
    ...(await child('copy', root, rows, samples, Copied)),
    ...(await child('compact', root, rows, samples, Compacted)),
  }))
  const [copy, compact] = [median(rounds.map(({ copy_ms }) => copy_ms)), median(rounds.map(({ compact_ms }) => compact_ms))]
  const name = `Compact ${spaced(rows)} rows, 1 % removed all over the file`
  return [
    {
      name,
      value: compact / 1000,
      unit: 's',
      goal: (1.5 * copy) / 1000,
      baseline: { name: 'streaming COPY of the surviving rows by DuckDB (s)', value: copy / 1000 },
    },
    {
      name: `${name}: peak resident memory`,
      value: Math.max(...rounds.map(({ peak_rss_kb }) => peak_rss_kb)) / 1024,
      unit: 'MB',
      goal: rows === 1_000_000 ? 1024 : null,
      baseline: null,
    },
  ]
}

/** The array store at three sizes; every measurement in a process of its own. */
export const measureArrays = async (): Promise<MeasurementGroup> => {
  const measurements: Measurement[] = []
  for (const { rows, samples } of sizes) {
    const root = join(benchServerHome, `arrays-${rows}`)
    await child('make', root, rows, samples, z.object({ make_ms: z.number() }))
    measurements.push(...(await appendTo(root, rows, samples)))
    measurements.push(...(await readFrom(root, rows, samples)))
    measurements.push(...(await compactAll(root, rows, samples)))
    await rm(root, { recursive: true, force: true })
  }
  const root = join(benchServerHome, 'arrays-summaries')
  await rm(root, { recursive: true, force: true })
  await child('make', root, 100, 10, z.object({ make_ms: z.number() }))
  const summarised = await child('summaries', root, 199, 20, Summarised)
  measurements.push({ name: 'Summaries of 200 files', value: median(summarised.summaries_ms), unit: 'ms', goal: 30, baseline: null })
  await rm(root, { recursive: true, force: true })
  return { title: 'Array store', measurements }
}
