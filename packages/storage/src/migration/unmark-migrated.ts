import { join } from 'node:path'
import * as z from 'zod'
import { tombstonesText } from '../array-store/tombstone-file.ts'
import { tombstonesName } from '../arrays/tombstones.ts'
import { appendColumns } from '../engine/append-columns.ts'
import type { Engine } from '../engine/open-engine.ts'
import { writeNewFile } from '../files/disk.ts'
import { markFile } from '../files/hash-file.ts'
import type { MigrateJournal } from './journal.ts'
import { sourceTable } from './source-tables.ts'
import { arraysTable } from './store-schema.ts'
import type { JobPlaces } from './workspace-layout.ts'

/** The list of removed predictions before a migration, and those that go off it. */
export interface Marks {
  readonly before: ReadonlyMap<string, string>
  readonly unmarked: readonly string[]
}

/** Those whose arrays are in the table, which knows no such list, go off it. */
export const readMarks = async (engine: Engine, before: ReadonlyMap<string, string>): Promise<Marks> => ({
  before,
  unmarked: await idsInAll(engine, [...before.keys()], [arraysTable, 'predictions']),
})

/** Which of these ids every one of these tables of the store that is attached as `source` has. */
export const idsInAll = async (engine: Engine, ids: readonly string[], tables: readonly string[]): Promise<string[]> => {
  if (ids.length === 0) return []
  await engine.run('CREATE OR REPLACE TEMP TABLE marked (prediction_id VARCHAR)')
  await appendColumns(engine, { alias: 'temp', table: 'marked' }, [{ type: 'varchar', values: [...ids] }])
  const joins = tables.map((table) => `SEMI JOIN ${sourceTable(table)} USING (prediction_id)`).join(' ')
  return (await engine.rows(z.object({ id: z.string() }), `SELECT prediction_id AS id FROM marked ${joins}`)).map(({ id }) => id)
}

/** Stages the list, to take its place with the array files; an empty one is none. */
export const stageMarks = async (
  places: JobPlaces,
  { before, unmarked }: Marks,
  inside: (path: string) => string,
): Promise<Pick<MigrateJournal, 'placed' | 'removed'>> => {
  if (unmarked.length === 0) return { placed: [], removed: [] }
  const marks = new Map(before)
  for (const id of unmarked) marks.delete(id)
  const target = `arrays/${tombstonesName}`
  const replaced = inside(join(places.replaced, tombstonesName))
  if (marks.size === 0) return { placed: [], removed: [{ target, replaced }] }
  const staged = join(places.staging, tombstonesName)
  await writeNewFile(staged, tombstonesText(marks))
  return { placed: [{ staged: inside(staged), target, mark: await markFile(staged), replaced }], removed: [] }
}
