import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import { escapeGlob } from '../../arrays/pin-file.ts'
import { attachReadOnly, detach, quotedIdentifier, quotedString } from '../../engine/attach-store.ts'
import { withEngine } from '../../engine/open-engine.ts'
import { filesOf, type Scratch } from '../../testing/fault-oracle.ts'
import { mergeStores } from '../merge-stores.ts'
import { makeHybrid } from './merge-fixture.ts'

/** The merge that the fault tests run: into `path`, from the folder `source` beside it. */
export const mergeBeside = (path: string, jobId = 'fault') =>
  mergeStores(path, [join(dirname(path), 'source')], { jobId, cacheFolder: join(dirname(path), 'cache'), onConflict: 'keep_best' })

/**
 * A target and a source: a prediction of the target gives way, one stays, one is on both sides, a dataset is new, a file is shared by two
 * datasets, models come with and without a row.
 */
export const mergeFixture = async (): Promise<Scratch> => {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'nirs-workspace-merge-')))
  const model = "INSERT INTO artifacts (artifact_id, artifact_path, content_hash) VALUES ('m', 'aa/model.joblib', 'unknown')"
  const chain = `UPDATE chains SET fold_artifacts = '{"fold_0": "m"}'`
  await makeHybrid(join(path, 'original'), {
    predictions: [
      { id: 't1', score: 0.9, y: [1, -0] },
      { id: 't2', fold: '1', score: 0.1, y: [2] },
      { id: 'both', fold: '2', y: [3] },
      { id: 't3', dataset: 'soil pH', y: [4] },
    ],
  })
  await makeHybrid(join(path, 'source'), {
    predictions: [
      { id: 's1', score: 0.5, y: [5, Number.NaN] },
      { id: 's2', fold: '1', score: 0.5, y: [6] },
      { id: 'both', fold: '2', y: [3] },
      { id: 's3', dataset: 'soil_pH', y: [7] },
      { id: 's4', dataset: 'milk', y: [8] },
    ],
    extra: [model, chain],
  })
  await mkdir(join(path, 'source', 'artifacts', 'aa'), { recursive: true })
  await writeFile(join(path, 'source', 'artifacts', 'aa', 'model.joblib'), 'model')
  await writeFile(join(path, 'source', 'artifacts', 'aa', 'unnamed.joblib'), 'unnamed')
  return {
    path,
    copy: async (name) => {
      const target = join(path, name)
      await rm(target, { recursive: true, force: true })
      await cp(join(path, 'original'), target, { recursive: true, preserveTimestamps: true })
      return target
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}

const Table = z.object({ name: z.string() })
const Digest = z.object({ digest: z.string() })

/** All that a workspace says: every row of its store, the arrays that count, its models, what is marked as removed. */
export const stateOf = (path: string): Promise<Record<string, unknown>> =>
  withEngine({ threads: 1 }, async (engine) => {
    await attachReadOnly(engine, join(path, 'store.duckdb'), 's')
    const state: Record<string, unknown> = {}
    const digest = async (sql: string) =>
      (
        await engine.one(
          Digest,
          `SELECT sha256(coalesce(string_agg(r, chr(10) ORDER BY r), '')) AS digest FROM (SELECT x::VARCHAR AS r FROM (${sql}) x)`,
        )
      ).digest
    const tables = await engine.rows(Table, "SELECT table_name AS name FROM duckdb_tables() WHERE database_name = 's' ORDER BY 1")
    for (const { name } of tables) state[name] = await digest(`SELECT * FROM s.main.${quotedIdentifier(name)}`)
    const files = (await namesIn(join(path, 'arrays'))).filter((name) => /^[^.].*\.parquet$/.test(name))
    const list = files.map((name) => quotedString(escapeGlob(join(path, 'arrays', name)))).join(', ')
    state.arrays =
      files.length === 0
        ? ''
        : await digest(`SELECT f.* EXCLUDE (filename, file_row_number) FROM read_parquet([${list}], filename = true, file_row_number = true, union_by_name = true) f
            JOIN s.main.predictions p USING (prediction_id) QUALIFY row_number() OVER (PARTITION BY prediction_id ORDER BY file_row_number DESC) = 1`)
    await detach(engine, 's')
    const entries = Object.entries(await filesOf(path))
    state.models = entries.filter(([name]) => name.startsWith('artifacts/'))
    state.removed = Object.keys(JSON.parse(await readFile(join(path, 'arrays', '_tombstones.json'), 'utf8').catch(() => '{}')))
    return state
  })

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => [])

/** What no finished and no undone merge leaves behind. */
export const leftoversIn = async (path: string): Promise<string[]> =>
  Object.keys(await filesOf(path)).filter((name) => /staging|journal|lock|\.tmp|replaced|merges\/[^/]+\//.test(name))
