import { createHash } from 'node:crypto'
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { escapeGlob } from '../arrays/pin-file.ts'
import { quotedString } from '../engine/attach-store.ts'
import { attachedTables } from '../engine/attached-tables.ts'
import { withEngine } from '../engine/open-engine.ts'
import { readBlocks } from '../engine/read-blocks.ts'
import { arrayFileColumnNames } from '../migration/array-columns.ts'
import { sourceAlias, sourceTable } from '../migration/source-tables.ts'
import { tableRowsSql } from '../migration/staged-file.ts'
import { arraysTable } from '../migration/store-schema.ts'
import { ArraysDigest } from '../parquet/arrays-digest.ts'
import { listArrayFiles } from '../workspace/array-files.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { makeStore } from './make-store.ts'

/** SHA-256 of the arrays of every dataset, from the one place where they are: the table as long as it exists, else the array files. */
export const arraysOf = async (path: string): Promise<Record<string, string>> => {
  const workspace = await resolveWorkspace(path)
  const { duckdb } = workspace
  if (duckdb === null) throw new Error('There is no store.')
  return withEngine({ threads: 1 }, (engine) =>
    withAttachedStore(engine, duckdb, sourceAlias, async () => {
      const tables = await attachedTables(engine, sourceAlias)
      const files = (await listArrayFiles(workspace)).map((file) => quotedString(escapeGlob(join(workspace.root, file.path))))
      const columns = arrayFileColumnNames.map((name) => `f.${name}`).join(', ')
      const sql = tables.has(arraysTable)
        ? tableRowsSql(tables, 'true')
        : `SELECT ${columns} FROM read_parquet([${files.join(', ')}], hive_partitioning = false) f
           JOIN ${sourceTable('predictions')} p ON p.prediction_id = f.prediction_id`
      const digest = new ArraysDigest()
      for await (const block of readBlocks(engine, sql)) digest.add(block)
      return Object.fromEntries([...digest.results()].map(([name, { sha256, rows }]) => [name, `${rows} ${sha256}`] as const).sort())
    }),
  )
}

/** Every file below a folder with its SHA-256, and every empty folder; what does not hold state (the lock's folder when empty) too. */
export const filesOf = async (root: string): Promise<Record<string, string>> => {
  const found: Record<string, string> = {}
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const name = path.slice(root.length + 1)
    if (entry.isDirectory()) found[`${name}/`] = 'folder'
    else
      found[name] = createHash('sha256')
        .update(await readFile(path))
        .digest('hex')
  }
  return Object.fromEntries(Object.entries(found).sort())
}

/** `look`, which only reads, asked once for all folders that hold the same bytes under the same names. */
export const onceForSame = <State>(look: (root: string) => Promise<State>): ((root: string) => Promise<State>) => {
  const known = new Map<string, State>()
  return async (root) => {
    const files = JSON.stringify(await filesOf(root))
    const state = known.get(files) ?? (await look(root))
    known.set(files, state)
    return state
  }
}

export interface Scratch extends AsyncDisposable {
  readonly path: string
  /** A fresh copy of the fixture. */
  copy(name: string): Promise<string>
}

/** A legacy workspace of a few rows in three datasets, two of which share a file; copies of it are cheap. */
export const faultFixture = async (): Promise<Scratch> => {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'nirs-workspace-fault-')))
  const original = join(path, 'original')
  await mkdir(original)
  const predictions = ['wheat', 'soil pH', 'soil_pH'].flatMap((dataset) =>
    Array.from({ length: 7 }, (_, index) => ({
      id: `${dataset}-${index}`,
      dataset,
      fold: String(index),
      y: [index, -0, Number.NaN, index / 3],
    })),
  )
  await makeStore(join(original, 'store.duckdb'), { release: '0.7.1', predictions })
  await writeFile(join(original, 'notes.txt'), 'not ours')
  return {
    path,
    copy: async (name) => {
      const target = join(path, name)
      await rm(target, { recursive: true, force: true })
      await cp(original, target, { recursive: true, preserveTimestamps: true })
      return target
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}

/** Makes locks that this very process has left look like those of a process that is gone, as they are after a power cut. */
export const forgetLock = async (root: string): Promise<void> => {
  const control = join(root, '.nirs-workspace')
  for (const name of await readdir(control).catch(() => [])) {
    const path = join(control, name)
    const text = name.startsWith('lock') ? await readFile(path, 'utf8') : ''
    if (name.startsWith('lock')) await utimes(path, new Date(0), new Date(0))
    if (text.includes(`"pid":${process.pid},`)) await writeFile(path, JSON.stringify({ ...JSON.parse(text), pid: 2 ** 22 + 1 }))
  }
}
