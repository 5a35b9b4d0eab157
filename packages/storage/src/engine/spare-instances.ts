import { tmpdir } from 'node:os'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import * as z from 'zod'

/**
 * An in-memory DuckDB with nothing in it. Making one registers thousands of functions and takes several times as long as wiping one, so that
 * a few are kept for whoever needs the next.
 */
export interface Instance {
  readonly database: DuckDBInstance
  readonly spillFolder: string
}

export interface InstanceOptions {
  readonly memoryLimit: string
  readonly threads: number
  readonly spillFolder: string
}

const spares: Instance[] = []
const mostSpares = 2
/** Long enough for the next step of a job; afterwards the memory and the threads of an idle instance are given back. */
const idleMs = 2000
let idle: NodeJS.Timeout | undefined

/** A spare instance, or a new one, with its first connection. */
export const takeInstance = async (options: InstanceOptions): Promise<{ instance: Instance; connection: DuckDBConnection }> => {
  const place = spares.findIndex(({ spillFolder }) => spillFolder === options.spillFolder)
  const [spare] = place < 0 ? [] : spares.splice(place, 1)
  const instance = spare ?? (await makeInstance(options.spillFolder))
  return closingOnFailure(instance.database, async () => {
    const connection = await instance.database.connect()
    await closingOnFailure(connection, () => connection.run(limits(options)))
    return { instance, connection }
  })
}

/** Keeps an instance whose connections are closed for the next one, wiped; closes it when anything is left that wiping does not reach. */
export const giveInstance = async (instance: Instance): Promise<void> => {
  // Others may have come while it was wiped.
  if (spares.length >= mostSpares || !(await isWiped(instance)) || spares.length >= mostSpares) {
    instance.database.closeSync()
    return
  }
  spares.push(instance)
  idle?.refresh()
  idle ??= setTimeout(closeSpares, idleMs).unref()
}

const closeSpares = (): void => {
  for (const { database } of spares.splice(0)) database.closeSync()
}

/** What cannot begin is no use to the next one either, and nobody else knows it. */
const closingOnFailure = async <T>(opened: { closeSync(): void }, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    opened.closeSync()
    throw error
  }
}

const limits = ({ memoryLimit, threads }: Pick<InstanceOptions, 'memoryLimit' | 'threads'>): string =>
  `SET memory_limit = '${memoryLimit}'; SET threads = ${threads}`
const newLimits = limits({ memoryLimit: '1GB', threads: 1 })

/** All settings of a new instance that spills into a folder; folders of one's own are used once. */
const newSettings = new Map<string, string>()

const makeInstance = async (spillFolder: string): Promise<Instance> => {
  const database = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    // Descriptors and paths are reused, so a cache keyed by them could serve another file's bytes.
    enable_external_file_cache: 'false',
    temp_directory: spillFolder,
  })
  if (spillFolder === tmpdir() && !newSettings.has(spillFolder)) {
    await closingOnFailure(database, async () => {
      await withConnection(database, (connection) => connection.run(newLimits))
      newSettings.set(spillFolder, (await withConnection(database, look)).settings)
    })
  }
  return { database, spillFolder }
}

// Tables, views, macros and types are in the database `memory`, or in `temp`, which went with its connection.
const wipe = `ATTACH ':memory:' AS aside; USE aside; DETACH memory; ATTACH ':memory:' AS memory; USE memory; DETACH aside; ${newLimits}`

const isWiped = async ({ database, spillFolder }: Instance): Promise<boolean> => {
  const settings = newSettings.get(spillFolder)
  if (settings === undefined) return false
  try {
    await withConnection(database, (connection) => connection.run(wipe))
    // By a connection that has not chosen a database.
    const left = await withConnection(database, look)
    return left.databases === 1 && left.settings === settings
  } catch {
    // It refuses what a new one allows, and is of no more use.
    return false
  }
}

const Look = z.object({ databases: z.number(), settings: z.string() })

/** How many databases are attached, and all settings. */
const look = async (connection: DuckDBConnection): Promise<z.output<typeof Look>> => {
  const reader = await connection.runAndReadAll(
    `SELECT (SELECT count(*) FROM duckdb_databases() WHERE NOT internal)::INTEGER AS databases,
       (SELECT md5(string_agg(concat(name, '=', value), chr(10) ORDER BY name)) FROM duckdb_settings()) AS settings`,
  )
  return Look.parse(reader.getRowObjectsJS()[0])
}

const withConnection = async <T>(database: DuckDBInstance, work: (connection: DuckDBConnection) => Promise<T>): Promise<T> => {
  const connection = await database.connect()
  try {
    return await work(connection)
  } finally {
    connection.closeSync()
  }
}
