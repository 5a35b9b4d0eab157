import { readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { setFaultHook } from '../files/fault-point.ts'
import { filesOf } from '../testing/fault-oracle.ts'
import { makeStore, temporaryFolder } from '../testing/make-store.ts'
import { changeStore, tamperBefore } from '../testing/tamper.ts'
import { runMigration } from './run-migration.ts'

afterEach(() => setFaultHook(undefined))

const extra = ['CREATE TABLE notes(a INTEGER)', 'INSERT INTO notes VALUES (1)', 'CREATE SCHEMA s', 'CREATE TABLE s.notes AS SELECT 1 AS a']

const changes = {
  'a row of the new store': "UPDATE predictions SET val_score = 99 WHERE prediction_id = 'a'",
  'a table of another program in the new store': 'UPDATE notes SET a = 2',
  'a table of another schema in the new store': 'UPDATE s.notes SET a = 2',
}

// The last is the name of the seal itself: without it a footer says of itself that nobody has sealed it.
const marks = { 'a footer': 'data_sha256', 'the seal of a footer': 'footer_crc32' }

test.each([...Object.entries(changes), ...Object.entries(marks)])('%s that is not what was meant stops a migration', async (_, change) => {
  await using folder = await temporaryFolder()
  await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions: [{ id: 'a' }, { id: 'b', fold: '1' }], extra })
  const before = await filesOf(folder.path)
  // The second time that the new store is announced it is complete and closed; a file is sealed when its footer is flushed.
  if (/ /.test(change))
    tamperBefore(
      ({ kind, path }) => kind === 'engine-write' && /\.new$/.test(path),
      (path) => changeStore(path, change),
      2,
    )
  else
    tamperBefore(
      ({ kind, path }) => kind === 'fsync' && path.endsWith('.parquet') && isSealed(path),
      (path) => changeFooter(path, change),
    )
  await expect(runMigration(folder.path, { jobId: 'tampered' })).rejects.toMatchObject({ code: 'verification_failed' })
  expect(await filesOf(folder.path)).toEqual(before)
})

const isSealed = (path: string): boolean => readFileSync(path, 'latin1').includes('footer_crc32')

const changeFooter = async (path: string, mark: string): Promise<void> => {
  const bytes = await readFile(path)
  bytes.write('DATA', bytes.lastIndexOf(mark))
  await writeFile(path, bytes)
}
