import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { attachWritable } from '../engine/attach-store.ts'
import { withEngine } from '../engine/open-engine.ts'
import { DuckdbMetadata } from '../maintenance/duckdb-metadata.ts'
import type { MetadataStore } from '../maintenance/metadata-store.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { SqliteMetadata } from './sqlite-metadata.ts'

/** Predictions 7 and 8 have one place in one chain; 8 has a score beyond what a double counts by ones. */
const statements = (text: string, number: string, score: string): string[] => [
  `CREATE TABLE projects (project_id ${number} PRIMARY KEY, name ${text})`,
  `CREATE TABLE runs (run_id ${text} PRIMARY KEY, name ${text}, project_id ${number} REFERENCES projects(project_id))`,
  `CREATE TABLE chains (chain_id ${number} PRIMARY KEY, pipeline_id ${text}, cv_val_score ${score}, cv_fold_count ${number})`,
  `CREATE TABLE predictions (prediction_id ${number} PRIMARY KEY, pipeline_id ${text}, chain_id ${number}, dataset_name ${text}, model_name ${text},
     fold_id ${text}, "partition" ${text}, val_score ${score}, test_score ${score}, train_score ${score}, metric ${text}, branch_id ${number})`,
  "INSERT INTO projects VALUES (5, 'p')",
  "INSERT INTO runs VALUES ('r', 'run', 5)",
  "INSERT INTO chains VALUES (3, 'p', 1, 1)",
  "INSERT INTO predictions VALUES (7, 'p', 3, 'wheat', 'PLS', '0', 'val', 1, NULL, NULL, 'rmse', NULL)",
  "INSERT INTO predictions VALUES (8, 'p', 3, 'wheat', 'PLS', '0', 'val', 1152921504606846977, NULL, NULL, 'rmse', NULL)",
]

const openSqlite = async (folder: string): Promise<MetadataStore> => {
  const path = join(folder, 'store.sqlite')
  const database = new DatabaseSync(path)
  for (const statement of statements('TEXT', 'INTEGER', 'INTEGER')) database.exec(statement)
  database.close()
  return SqliteMetadata.open({ path, root: folder })
}

const check = async (metadata: MetadataStore, folder: string): Promise<void> => {
  expect(await metadata.twinsOf(['7'])).toEqual(['7', '8'])
  expect(await metadata.figureRowsOf(['3'])).toMatchObject([
    { prediction_id: '7', chain_id: '3', val_score: 1 },
    { prediction_id: '8', chain_id: '3' },
  ])
  const figures = await metadata.figuresOf(['3'])
  expect([...figures.keys()]).toEqual(['3'])
  const [before = {}] = figures.values()
  await metadata.writeFigures([{ chain_id: '3', before, after: { ...before, cv_fold_count: { int: '2' } } }])
  expect((await metadata.figuresOf(['3'])).get('3')).not.toEqual(before)

  const at = (table: string) => join(folder, `${table}.${metadata.fileEnding}`)
  await metadata.saveRows({ table: 'runs', keys: ['r'] }, at('runs'))
  await metadata.saveRows({ table: 'predictions', keys: ['7'] }, at('predictions'))
  expect(await metadata.sharedPlaces({ table: 'predictions', keys: ['7'], path: at('predictions') })).toEqual([
    { ids: ['7'], holders: ['8'], isUnique: false },
  ])
}

test('whole numbers for keys: a store.duckdb answers by their text', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'store.duckdb')
  await withEngine({}, async (engine) => {
    await attachWritable(engine, path, 's')
    await engine.run('USE s')
    for (const statement of statements('VARCHAR', 'BIGINT', 'DOUBLE')) await engine.run(statement)
    await engine.run('USE memory')
    await check(await DuckdbMetadata.open({ engine, alias: 's', path, root: folder.path }), folder.path)
  })
})

test('whole numbers for keys: a store.sqlite answers by their text, and a run comes back without its project', async () => {
  await using folder = await temporaryFolder()
  const metadata = await openSqlite(folder.path)
  await check(metadata, folder.path)
  await metadata.deleteRows(
    [
      { table: 'runs', keys: ['r'] },
      { table: 'projects', keys: ['5'] },
    ],
    [],
  )
  await metadata.close()
  const again = SqliteMetadata.open({ path: join(folder.path, 'store.sqlite'), root: folder.path })
  const run = { table: 'runs', keys: ['r'], path: join(folder.path, 'runs.jsonl'), emptied: { column: 'project_id', values: ['5'] } }
  await again.insertRows([run], async () => undefined)
  await again.close()
  const database = new DatabaseSync(join(folder.path, 'store.sqlite'))
  expect(database.prepare('SELECT * FROM runs').all()).toEqual([{ run_id: 'r', name: 'run', project_id: null }])
  database.close()
})
