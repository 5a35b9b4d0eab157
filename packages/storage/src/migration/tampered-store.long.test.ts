import { readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import * as z from 'zod'
import { withEngine } from '../engine/open-engine.ts'
import { type DiskOperation, setFaultHook } from '../files/fault-point.ts'
import { filesOf } from '../testing/fault-oracle.ts'
import { makeStore, temporaryFolder } from '../testing/make-store.ts'
import { copyWorkspace, hasSharedWorkspaces } from '../testing/shared-workspaces.ts'
import { changeStore, rewriteParquet, tamperBefore } from '../testing/tamper.ts'
import { rollbackMigration } from './rollback-migration.ts'
import { runMigration } from './run-migration.ts'

afterEach(() => setFaultHook(undefined))

const extra = [
  'CREATE TABLE notes(a INTEGER)',
  'INSERT INTO notes VALUES (1)',
  'CREATE SCHEMA s',
  'CREATE TABLE s.notes AS SELECT 1 AS a',
  // As a store that an 0.8 release has opened has them.
  'ALTER TABLE chains ADD COLUMN model_name VARCHAR',
  'ALTER TABLE chains ADD COLUMN cv_val_score DOUBLE',
  "UPDATE chains SET model_name = 'PLS', cv_val_score = 1",
]

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
  'a figure that a chain had': inStore('UPDATE chains SET cv_val_score = 2'),
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

const isCommit = ({ kind, path }: DiskOperation) => kind === 'rename' && path.endsWith('journal.json')
const isPlacing = ({ kind, path }: DiskOperation) => kind === 'link' && /arrays\/wheat\.parquet$/.test(path)

test.each([
  ['while the new ones were staged', isCommit, 2],
  ['when they are about to take their places', isPlacing, 1],
] as const)('an array file that another program makes %s stays, and the migration is taken back', async (_, isPlace, nth) => {
  await using folder = await temporaryFolder()
  await makeStore(join(folder.path, 'store.duckdb'), {
    release: '0.7.1',
    predictions: [
      { id: 'a', dataset: 'milk' },
      { id: 'b', dataset: 'wheat' },
    ],
  })
  const before = await filesOf(folder.path)
  const other = join(folder.path, 'arrays', 'wheat.parquet')
  tamperBefore(isPlace, () => writeFile(other, 'of another program'), nth)
  await expect(runMigration(folder.path, { jobId: 'met' })).rejects.toMatchObject({
    code: 'plan_stale',
    message: expect.stringContaining('arrays/wheat.parquet'),
  })
  const { 'arrays/wheat.parquet': made, ...left } = await filesOf(folder.path)
  expect([left, made === undefined, await readFile(other, 'utf8')]).toEqual([
    { ...before, 'arrays/': 'folder' },
    false,
    'of another program',
  ])
})

const arraysOf = (path: string, name: string) => join(path, 'arrays', `${name}.parquet`)
const isReplaced = ({ kind, path }: DiskOperation) => kind === 'link' && path.endsWith('/replaced/oil_moisture.parquet')
const isComingBack = ({ kind, from }: DiskOperation) => kind === 'rename' && from?.includes('/replaced/') === true
const scored = (score: number) => (path: string) => rewriteParquet(path, `* REPLACE (${score}.0 AS val_score)`)
const scoresIn = async (path: string): Promise<unknown> =>
  withEngine({}, (engine) => engine.rows(z.object({ val_score: z.number() }), `SELECT DISTINCT val_score FROM read_parquet('${path}')`))

test.runIf(hasSharedWorkspaces()).each([
  ['while the new ones were staged', isCommit, 2],
  ['when it is about to be kept', isReplaced, 1],
] as const)('an array file that another program changes %s stays, and the migration is taken back', async (_, isPlace, nth) => {
  await using copy = await copyWorkspace('mid-migration')
  const oil = arraysOf(copy.path, 'oil_moisture')
  const { 'arrays/oil_moisture.parquet': __, ...before } = await filesOf(copy.path)
  tamperBefore(isPlace, () => scored(99)(oil), nth)
  await expect(runMigration(copy.path, { jobId: 'met' })).rejects.toMatchObject({ code: 'plan_stale' })
  const { 'arrays/oil_moisture.parquet': found, ...after } = await filesOf(copy.path)
  expect([after, found === undefined, await scoresIn(oil)]).toEqual([before, false, [{ val_score: 99 }]])
})

test.runIf(hasSharedWorkspaces())('an array file that another program changes while a roll back works is kept', async () => {
  await using copy = await copyWorkspace('mid-migration')
  await runMigration(copy.path, { jobId: 'first' })
  let changed = ''
  const changeOther = async (path: string) => {
    changed = basename(path) === 'soil_pH.parquet' ? 'oil_moisture' : 'soil_pH'
    await scored(98)(arraysOf(copy.path, changed))
  }
  tamperBefore(isComingBack, changeOther)
  const { kept_newer_state_at } = await rollbackMigration(copy.path, { jobId: 'back' })
  expect(changed).not.toBe('')
  expect(await scoresIn(arraysOf(String(kept_newer_state_at), changed))).toEqual([{ val_score: 98 }])
})
