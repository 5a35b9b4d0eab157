import { readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { setFaultHook } from '../files/fault-point.ts'
import { filesOf } from '../testing/fault-oracle.ts'
import { makeStore, temporaryFolder } from '../testing/make-store.ts'
import { changeStore, rewriteParquet, tamperBefore } from '../testing/tamper.ts'
import { runMigration } from './run-migration.ts'

afterEach(() => setFaultHook(undefined))

const extra = ['CREATE TABLE notes(a INTEGER)', 'INSERT INTO notes VALUES (1)', 'CREATE SCHEMA s', 'CREATE TABLE s.notes AS SELECT 1 AS a']

/** The second time that the new store is announced it is complete and closed. */
const inStore = (sql: string) => () =>
  tamperBefore(
    ({ kind, path }) => kind === 'engine-write' && /\.new$/.test(path),
    (path) => changeStore(path, sql),
    2,
  )

/** An array file is flushed before it is read back, and again when its footer has been sealed. */
const inArrayFile = (stage: 'written' | 'sealed', change: (path: string) => Promise<void>) => () =>
  tamperBefore(
    ({ kind, path }) => kind === 'fsync' && /arrays\/\.staging-.*\.parquet$/.test(path) && isSealed(path) === (stage === 'sealed'),
    change,
  )

const changes = {
  'a row of the new store': inStore("UPDATE predictions SET val_score = 99 WHERE prediction_id = 'a'"),
  'a table of another program in the new store': inStore('UPDATE notes SET a = 2'),
  'a table of another schema in the new store': inStore('UPDATE s.notes SET a = 2'),
  'an array of an array file': inArrayFile('written', (path) => rewriteParquet(path, `* REPLACE (${changedInA('y_true', '[1, 2, 4]')})`)),
  'a score of an array file': inArrayFile('written', (path) => rewriteParquet(path, `* REPLACE (${changedInA('val_score', '99')})`)),
  'a footer': inArrayFile('sealed', (path) => changeFooter(path, 'data_sha256')),
  // The name of the seal itself: without it a footer says of itself that nobody has sealed it.
  'the seal of a footer': inArrayFile('sealed', (path) => changeFooter(path, 'footer_crc32')),
}

test.each(Object.entries(changes))('%s that is not what was meant stops a migration', async (_, tamper) => {
  await using folder = await temporaryFolder()
  await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions: [{ id: 'a' }, { id: 'b', fold: '1' }], extra })
  const before = await filesOf(folder.path)
  tamper()
  await expect(runMigration(folder.path, { jobId: 'tampered' })).rejects.toMatchObject({ code: 'verification_failed' })
  expect(await filesOf(folder.path)).toEqual(before)
})

const changedInA = (column: string, value: string): string => `CASE prediction_id WHEN 'a' THEN ${value} ELSE ${column} END AS ${column}`

const isSealed = (path: string): boolean => readFileSync(path, 'latin1').includes('footer_crc32')

const changeFooter = async (path: string, mark: string): Promise<void> => {
  const bytes = await readFile(path)
  bytes.write('DATA', bytes.lastIndexOf(mark))
  await writeFile(path, bytes)
}
