import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { benchDemo, benchServerHome } from './demo-cache.ts'
import { runChild } from './run-child.ts'
import { startServerProcess } from './server-process.ts'
import { percentile, times } from './timing.ts'

const sizes = [10_000, 30_000, 100_000, 300_000, 1_000_000] as const
const ROUNDS = 60

const Built = z.object({ copy_ms: z.number(), build_ms: z.number() })
const Total = z.object({ total: z.number() })

interface GrowthPoint {
  readonly rows: number
  readonly catalogSeconds: number
  readonly catalogPeakMb: number
  readonly startSeconds: number
  readonly firstPage: number
  readonly anyPage: number
  readonly search: number
  readonly facets: number
}

const demoOf = (rows: number) => (rows === 1_000_000 ? benchDemo('huge') : benchDemo('huge', rows))

const measurePoint = async (rows: number): Promise<GrowthPoint> => {
  const workspace = await demoOf(rows)
  const home = join(benchServerHome, `growth-${rows}`)
  await rm(home, { recursive: true, force: true })
  const built = await runChild('build-catalog', [workspace, join(home, 'nirs-workspace')], Built)
  const server = await startServerProcess(workspace, home)
  try {
    const get = (query: string) => server.get(`/predictions?limit=100&${query}`)
    const { total } = Total.parse(await get(''))
    const startSeconds = server.sinceStart() / 1000
    const firstPage = percentile(await times(20, () => get('sort=val_score:asc')), 0.95)
    const middle = await times(ROUNDS, (round) => get(`sort=val_score:asc&offset=${Math.floor(((round * 0.618) % 1) * (total - 100))}`))
    const search = percentile(await times(10, (round) => get(`q=${['snv', 'pls', 'olive', '1stder', 'ridge'][round % 5]}+${round}`)), 0.95)
    const facets = percentile(await times(10, (round) => server.get(`/predictions/facets?q=${round}`)), 0.95)
    return {
      rows,
      catalogSeconds: built.build_ms / 1000,
      catalogPeakMb: built.peak_rss_kb / 1024,
      startSeconds,
      firstPage,
      anyPage: percentile(middle, 0.95),
      search,
      facets,
    }
  } finally {
    await server.stop()
  }
}

const migrationSizes = [10_000, 30_000, 100_000] as const
const Migrated = z.object({ migrate_ms: z.number(), parquet_bytes: z.number(), passed: z.literal(true) })

const migrationRow = async (rows: number): Promise<string> => {
  const workspace = rows === 100_000 ? await benchDemo('large') : await benchDemo('large', rows)
  const copy = join(benchServerHome, `migration-${rows}`)
  await rm(copy, { recursive: true, force: true })
  await cp(workspace, copy, { recursive: true })
  const found = await runChild('migrate', [copy], Migrated)
  await rm(copy, { recursive: true, force: true })
  const seconds = found.migrate_ms / 1000
  return `| ${spaced(rows)} | ${seconds.toFixed(1)} s | ${((seconds / rows) * 100_000).toFixed(1)} s | ${(found.parquet_bytes / 1e6).toFixed(0)} MB | ${(found.peak_rss_kb / 1024).toFixed(0)} MB |`
}

const spaced = (rows: number) => rows.toLocaleString('en').replaceAll(',', ' ')

const rowOf = (point: GrowthPoint) =>
  [
    spaced(point.rows),
    `${point.catalogSeconds.toFixed(1)} s`,
    `${point.catalogPeakMb.toFixed(0)} MB`,
    `${point.startSeconds.toFixed(2)} s`,
    `${point.firstPage.toFixed(0)} ms`,
    `${point.anyPage.toFixed(0)} ms`,
    `${point.search.toFixed(0)} ms`,
    `${point.facets.toFixed(0)} ms`,
  ].join(' | ')

/** docs/scale.md: how the figures of one machine grow with the number of predictions. */
export const growthReport = async (machine: string): Promise<string> => {
  const points: GrowthPoint[] = []
  for (const rows of sizes) points.push(await measurePoint(rows))
  const migrations: string[] = []
  for (const rows of migrationSizes) migrations.push(await migrationRow(rows))
  return `# How it grows

Written by \`npm run bench -- growth\`. Metadata of synthetic workspaces, one request at a time over HTTP; pages, search and facets are the
95th percentile in milliseconds.

Machine: ${machine}.

| predictions | catalog built | peak memory of the build | start to first page | first page, sorted | any page, sorted | page of a new search | facets of a new search |
|---:|---:|---:|---:|---:|---:|---:|---:|
${points.map((point) => `| ${rowOf(point)} |`).join('\n')}

What this means: browsing reads the catalog, whose size follows the number of predictions and not the size of their arrays. Pages come
from an order that is made once per sort and kept, so they cost the same anywhere in the table. A search that was not asked before reads
every row once.

Migration of predictions with arrays of 180 samples on average, every value verified:

| predictions | migration | per 100 000 | Parquet files | peak memory of the job |
|---:|---:|---:|---:|---:|
${migrations.join('\n')}

## Past one machine

Everything a second engine needs is already in open formats: the catalog is a DuckDB file and the arrays are Parquet files with the
metadata of each row beside its arrays. A laboratory that outgrows one machine can attach the same files to DuckDB with a DuckLake catalog
in PostgreSQL and the Parquet files on object storage, or read them with Spark or Trino; none of that needs a change of format.
`
}
