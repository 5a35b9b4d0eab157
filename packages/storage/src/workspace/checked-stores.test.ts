import { utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { attachWritable, detach } from '../engine/attach-store.ts'
import { withEngine } from '../engine/open-engine.ts'
import { makeStore, temporaryFolder } from '../testing/make-store.ts'
import { withAttachedStore } from './open-store.ts'

const tablesOf = (path: string) =>
  withEngine({}, (engine) => withAttachedStore(engine, path, 'store', async ({ tables }) => [...tables.keys()].sort()))

const change = (path: string, sql: string) =>
  withEngine({}, async (engine) => {
    await attachWritable(engine, path, 'changed')
    await engine.run(sql)
    await detach(engine, 'changed')
  })

// So that what was found is kept.
const settle = () => setTimeout(150)

test('what a store was found to hold is looked at again when it has changed: tables, macros, also with its old time', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'store.duckdb')
  await makeStore(path, { release: '0.7.1', predictions: [{ id: 'a' }] })
  await settle()
  const before = await tablesOf(path)
  expect(await tablesOf(path)).toEqual(before)
  await change(path, 'CREATE TABLE changed.notes (text VARCHAR)')
  expect(await tablesOf(path)).toEqual([...before, 'notes'].sort())
  await settle()
  expect(await tablesOf(path)).toEqual([...before, 'notes'].sort())
  const time = new Date(1_700_000_000_000)
  await utimes(path, time, time)
  await settle()
  expect(await tablesOf(path)).toContain('notes')
  await change(path, 'CREATE MACRO changed.len(x) AS 0')
  await utimes(path, time, time)
  await expect(tablesOf(path)).rejects.toMatchObject({ code: 'store_unsafe' })
  await settle()
  await expect(tablesOf(path)).rejects.toMatchObject({ code: 'store_unsafe' })
})
