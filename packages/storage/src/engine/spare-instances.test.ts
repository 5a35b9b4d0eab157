import { mkdtempDisposable, readdir, readlink, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { expect, onTestFinished, test, vi } from 'vitest'
import * as z from 'zod'
import { attachReadOnly, attachWritable, detach, quotedString } from './attach-store.ts'
import { type OwnLane, openLane } from './engine-lane.ts'
import { Engine, type EngineOptions, withEngine } from './open-engine.ts'
import { streamChunks } from './stream-chunks.ts'

const Count = z.object({ n: z.number() })

/** Whatever an engine can find that somebody made. */
const left = async (engine: Engine): Promise<number[]> => {
  const asked = [
    'duckdb_tables()',
    'duckdb_views() WHERE NOT internal',
    'duckdb_types() WHERE NOT internal',
    'duckdb_sequences()',
    "duckdb_functions() WHERE NOT internal AND database_name <> 'system'",
    "duckdb_databases() WHERE NOT internal AND database_name <> 'memory'",
    'duckdb_prepared_statements()',
    'duckdb_variables()',
  ]
  return Promise.all(asked.map(async (from) => (await engine.one(Count, `SELECT count(*)::INTEGER AS n FROM ${from}`)).n))
}

const setting = async (engine: Engine, name: string): Promise<string> =>
  (await engine.one(z.object({ value: z.string() }), 'SELECT value FROM duckdb_settings() WHERE name = $name', { name })).value

/** Statements of one engine that the next one must not feel. */
const traces: [what: string, sql: string][] = [
  ['tables', 'CREATE TABLE t AS SELECT 1 AS a; CREATE TEMP TABLE u AS SELECT 2 AS a'],
  [
    'views and macros in the place of built-in ones',
    'CREATE VIEW v AS SELECT 1; CREATE MACRO abs(x) AS 42; CREATE TEMP MACRO lower(x) AS 42',
  ],
  ['types, sequences and variables', "CREATE TYPE mood AS ENUM ('ok'); CREATE SEQUENCE s; SET VARIABLE v = 1; PREPARE p AS SELECT 1"],
  ['an open transaction', 'BEGIN; CREATE TABLE w (a INTEGER)'],
  ['another schema', 'CREATE SCHEMA other; USE other'],
  ['settings', "SET disabled_optimizers = 'join_order'; SET default_null_order = 'nulls_first'"],
  ['settings of a session', "SET SESSION TimeZone = 'Asia/Tokyo'; SET search_path = 'system'"],
  ['a file that stays attached', "ATTACH ':memory:' AS stays"],
  ['what cannot be undone', 'SET enable_external_access = false; SET lock_configuration = true'],
]

test.each(traces)('an engine shows nothing of the one before: %s', async (_, sql) => {
  const before = await withEngine({}, async (engine) => ({
    left: await left(engine),
    optimizers: await setting(engine, 'disabled_optimizers'),
  }))
  await withEngine({}, (engine) => engine.run(sql))
  await withEngine({}, async (engine) => {
    expect(await left(engine)).toEqual(before.left)
    expect(await setting(engine, 'disabled_optimizers')).toBe(before.optimizers)
    const seen = await engine.one(
      z.object({ magnitude: z.number(), small: z.string(), schema: z.string(), zone: z.string(), nulls: z.number().nullable() }),
      `SELECT abs(-1) AS magnitude, lower('A') AS small, concat(current_database(), '.', current_schema()) AS schema,
         current_setting('TimeZone') AS zone, (SELECT x FROM (VALUES (1), (NULL)) v(x) ORDER BY x LIMIT 1) AS nulls`,
    )
    expect(seen).toEqual({ magnitude: 1, small: 'a', schema: 'memory.main', zone: expect.not.stringMatching('Tokyo'), nulls: 1 })
    await engine.run('CREATE TABLE t AS SELECT 1 AS a; CREATE TEMP TABLE u AS SELECT 2 AS a')
  })
})

/** Every database that an instance attaches gets the next number. */
const number = (engine: Engine): Promise<number> =>
  engine.one(Count, "SELECT database_oid::INTEGER AS n FROM duckdb_databases() WHERE database_name = 'memory'").then(({ n }) => n)

test('an engine is made of the one before, unless it was left changed', async () => {
  const first = await withEngine({}, number)
  const second = await withEngine({ memoryLimit: '300MB', threads: 1 }, number)
  expect(second).toBeGreaterThan(first)
  await withEngine({}, (engine) => engine.run("SET force_compression = 'uncompressed'"))
  expect(await withEngine({}, number)).toBeLessThan(second)
})

test('an engine whose lanes are done is used again, one with a lane that is at work or failed is not', async () => {
  const first = await withEngine({}, async (engine) => {
    const lane = await openLane(engine)
    await lane.run('SELECT 1')
    lane.release()
    for await (const chunk of streamChunks(engine, 'SELECT 1')) expect(chunk.rowCount).toBe(1)
    return number(engine)
  })
  const lanes: OwnLane[] = []
  const second = await withEngine({}, async (engine) => {
    lanes.push(await openLane(engine))
    return number(engine)
  })
  expect(second).toBeGreaterThan(first)
  for (const lane of lanes) lane.close()
  const third = await withEngine({}, async (engine) => {
    await expect(streamChunks(engine, "SELECT error('no')").next()).rejects.toThrow()
    return number(engine)
  })
  expect(third).toBeLessThan(second)
  expect(await withEngine({}, number)).toBe(third)
})

test('of engines that end at the same time two are kept, and one that cannot begin is closed', async () => {
  const open = (count: number) => Promise.all(Array.from({ length: count }, () => Engine.open()))
  const closing = vi.spyOn(DuckDBInstance.prototype, 'closeSync')
  onTestFinished(() => closing.mockRestore())
  const engines = await open(4)
  await Promise.all(engines.map((engine) => engine.release()))
  expect(closing).toHaveBeenCalledTimes(2)
  const [first, second] = await open(2)
  expect(closing).toHaveBeenCalledTimes(2)
  closing.mockClear()
  await expect(Engine.open({ memoryLimit: 'a lot' })).rejects.toThrow()
  expect(closing).toHaveBeenCalledOnce()
  const looking = vi.spyOn(DuckDBConnection.prototype, 'run').mockRejectedValueOnce(new Error('out of memory'))
  onTestFinished(() => looking.mockRestore())
  await expect(Engine.open()).rejects.toThrow('out of memory')
  expect(closing).toHaveBeenCalledTimes(2)
  for (const engine of [first, second]) engine?.close()
})

test('each engine has the memory and the threads that it asks for, engines at the same time have nothing in common', async () => {
  const limits = (engine: Engine) => Promise.all([setting(engine, 'memory_limit'), setting(engine, 'threads')])
  expect(await withEngine({ memoryLimit: '300MB', threads: 3 }, limits)).toEqual(['286.1 MiB', '3'])
  expect(await withEngine({}, limits)).toEqual(['953.6 MiB', '1'])
  await withEngine({}, async (one) => {
    await one.run('CREATE TABLE mine AS SELECT 1 AS a')
    await withEngine({}, async (other) => expect((await left(other))[0]).toBe(0))
  })
})

test('a large file is worth a second thread, unless one alone was asked for; the next engine has one again', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'nirs-engine-'))
  const sized = async (bytes: number) => {
    const path = join(folder.path, `${bytes}.duckdb`)
    await withEngine({}, (engine) => engine.run(`ATTACH ${quotedString(path)} AS made; DETACH made`))
    await truncate(path, Math.max(bytes, (await stat(path)).size))
    return path
  }
  const threadsWith = (path: string, options: EngineOptions = {}) =>
    withEngine(options, async (engine) => {
      await attachReadOnly(engine, path, 'store')
      const threads = await setting(engine, 'threads')
      await detach(engine, 'store')
      return threads
    })
  const [small, large] = [await sized(1e6), await sized(40e6)]
  const seen = [await threadsWith(small), await threadsWith(large), await threadsWith(large, { threads: 1 }), await threadsWith(small)]
  expect(seen).toEqual(['1', '2', '1', '1'])
})

test.runIf(process.platform === 'linux')(
  'an engine that has detached a file holds it no longer, and one that failed is not used again',
  async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'nirs-engine-'))
    const path = join(folder.path, 'store.duckdb')
    const open = async () => {
      const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''))
      return (await Promise.all(links)).filter((target) => target.startsWith(path))
    }
    await withEngine({}, async (engine) => {
      await attachWritable(engine, path, 'store')
      await engine.run('CREATE TABLE store.main.t AS SELECT 1 AS a')
      expect(await open()).not.toEqual([])
      await detach(engine, 'store')
    })
    expect(await open()).toEqual([])
    const failed = withEngine({}, async (engine) => {
      await attachWritable(engine, path, 'store')
      await engine.run('CREATE TABLE t AS SELECT 1 AS a')
      throw new Error('in the middle')
    })
    await expect(failed).rejects.toThrow('in the middle')
    expect(await open()).toEqual([])
    await withEngine({}, async (engine) => expect((await left(engine))[0]).toBe(0))
  },
)
