import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { findCatalog, openCatalog, resolveWorkspace } from '@nirs-workspace/storage'
import * as z from 'zod'
import { benchDemo, benchServerHome } from './demo-cache.ts'
import { needMigratedDemo } from './measure-migration.ts'
import type { Measurement, MeasurementGroup } from './measurement.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'
import { median, percentile, timed, times } from './timing.ts'

const PAGE = 100
const PAGES_PER_SORT = 200
const STARTS = 5
const SCATTERS = 40
const sorts = ['val_score:asc', 'created_at:desc', 'dataset_name:asc'] as const

const Page = z.object({ rows: z.array(z.object({ prediction_id: z.string() })), total: z.number() })

/** Offsets spread over the table the same way in every run, in an order that jumps about. */
const offsets = (total: number): number[] =>
  Array.from({ length: PAGES_PER_SORT }, (_, index) => Math.floor((((index * 0.6180339887) % 1) * (total - PAGE)) / PAGE) * PAGE)

const page = async (server: ServerProcess, query: string) => Page.parse(await server.get(`/predictions?limit=${PAGE}&${query}`))

/** The same page straight from the catalog, without server, types or JSON. */
const barePage = async (workspace: string, home: string, offset: number): Promise<number> => {
  const { fresh } = await findCatalog(await resolveWorkspace(workspace), { cacheFolder: join(home, 'nirs-workspace') })
  if (fresh === undefined) throw new Error('The server left no catalog in its cache folder.')
  const catalog = await openCatalog(fresh)
  const found = await times(7, () =>
    catalog.engine.rows(
      z.unknown(),
      `SELECT prediction_id FROM predictions ORDER BY val_score, prediction_id LIMIT ${PAGE} OFFSET ${offset}`,
    ),
  )
  catalog.close()
  return median(found)
}

/** Times from starting the server to a first page that a browser could draw. Without `built`, the catalog is made on the way. */
const firstPages = async (workspace: string, home: string, rounds: number): Promise<{ readyAfter: number; firstPage: number }[]> => {
  const found: { readyAfter: number; firstPage: number }[] = []
  for (let round = 0; round < rounds; round++) {
    const server = await startServerProcess(workspace, home)
    try {
      await page(server, '')
      found.push({ readyAfter: server.readyAfter, firstPage: server.sinceStart() })
    } finally {
      await server.stop()
    }
  }
  return found
}

const measureLarge = async (home: string): Promise<Measurement[]> => {
  const workspace = await benchDemo('large')
  const [cold] = await firstPages(workspace, home, 1)
  const warm = await firstPages(workspace, home, STARTS)
  const bare = await barePage(workspace, home, 0)
  const ready = median(warm.map((start) => start.readyAfter))
  const server = await startServerProcess(workspace, home)
  try {
    const first = await timed(() => page(server, 'sort=val_score:asc'))
    const again = await times(20, () => page(server, 'sort=val_score:asc'))
    const baseline = { name: 'bare sorted page in SQL, no server (ms)', value: bare }
    return [
      { name: 'First page of 100 000 rows, first request', value: first.milliseconds, unit: 'ms', goal: 200, baseline },
      { name: 'First page of 100 000 rows, again (median)', value: median(again), unit: 'ms', goal: 200, baseline },
      {
        name: 'Start to first page, catalog built',
        value: median(warm.map((start) => start.firstPage)) / 1000,
        unit: 's',
        goal: 2,
        baseline: { name: 'start to listening (s)', value: ready / 1000 },
      },
      {
        name: 'Start to first page, nothing built yet',
        value: (cold?.firstPage ?? Number.NaN) / 1000,
        unit: 's',
        goal: null,
        baseline: { name: 'start to listening (s)', value: ready / 1000 },
      },
    ]
  } finally {
    await server.stop()
  }
}

/** Charts of predictions from the middle of the table, each asked for once. */
const measureScatter = async (kind: string, workspace: string, home: string): Promise<Measurement[]> => {
  const server = await startServerProcess(workspace, home)
  try {
    const ids = (await page(server, 'offset=50000')).rows.map((row) => row.prediction_id)
    const [first, ...others] = await times(SCATTERS, (index) => server.get(`/predictions/${ids[index] ?? ''}/scatter`))
    const rows = await times(SCATTERS, (index) => server.get(`/predictions/${ids[index] ?? ''}`))
    const baseline = { name: 'the row of a prediction without its arrays (ms)', value: median(rows) }
    return [
      { name: `Scatter of one prediction, ${kind} (median)`, value: median(others), unit: 'ms', goal: 40, baseline },
      { name: `Scatter of one prediction, ${kind} (95th percentile)`, value: percentile(others, 0.95), unit: 'ms', goal: null, baseline },
      { name: `Scatter of one prediction, ${kind}, the first`, value: first ?? Number.NaN, unit: 'ms', goal: null, baseline },
    ]
  } finally {
    await server.stop()
  }
}

const measureHuge = async (home: string): Promise<Measurement[]> => {
  const workspace = await benchDemo('huge')
  const server = await startServerProcess(workspace, home)
  try {
    const { total } = await page(server, '')
    const bare = await barePage(workspace, home, Math.floor(total / 2))
    const baseline = { name: 'bare sorted page from the middle in SQL (ms)', value: bare }
    const measurements: Measurement[] = []
    for (const sort of sorts) {
      const opening = await timed(() => page(server, `sort=${sort}&offset=${Math.floor(total / 2)}`))
      const found = await times(PAGES_PER_SORT, (index) => page(server, `sort=${sort}&offset=${offsets(total)[index] ?? 0}`))
      const name = `Any page of 1 000 000 rows by ${sort}`
      measurements.push(
        { name: `${name}: 50th percentile`, value: percentile(found, 0.5), unit: 'ms', goal: null, baseline },
        { name: `${name}: 95th percentile`, value: percentile(found, 0.95), unit: 'ms', goal: 100, baseline },
        { name: `${name}: 99th percentile`, value: percentile(found, 0.99), unit: 'ms', goal: null, baseline },
        { name: `${name}: first jump to the middle`, value: opening.milliseconds, unit: 'ms', goal: null, baseline },
      )
    }
    return measurements
  } finally {
    await server.stop()
  }
}

/** Everything a browser waits for, through the real server. */
export const measurePages = async (): Promise<MeasurementGroup[]> => {
  const home = benchServerHome
  await rm(home, { recursive: true, force: true })
  return [
    { title: 'Browsing 100 000 predictions through the server', measurements: await measureLarge(home) },
    {
      title: 'Charts',
      measurements: [
        ...(await measureScatter('legacy store', await benchDemo('large'), home)),
        ...(await measureScatter('migrated', await needMigratedDemo(), home)),
      ],
    },
    { title: 'Browsing 1 000 000 predictions through the server', measurements: await measureHuge(home) },
  ]
}
