import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../testing/make-store.ts'
import { ScrubState } from './scrub-state.ts'

test('what was checked counts for that file as it was and for that workspace, and for nothing else', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'scrub.json')
  const mark = { bytes: 100, mtime_ns: '5' }
  const state = await ScrubState.open(path, '/lab')
  await state.note('arrays/a.parquet', { ...mark, groups_done: 3, findings: [] })
  await state.save()
  const doneIn = async (root: string, file: string, now: typeof mark) => (await ScrubState.open(path, root)).of(file, now).groups_done
  expect(await doneIn('/lab', 'arrays/a.parquet', mark)).toBe(3)
  expect(await doneIn('/lab', 'arrays/a.parquet', { ...mark, bytes: 101 })).toBe(0)
  expect(await doneIn('/lab', 'arrays/a.parquet', { ...mark, mtime_ns: '6' })).toBe(0)
  expect(await doneIn('/lab', 'arrays/b.parquet', mark)).toBe(0)
  expect(await doneIn('/other', 'arrays/a.parquet', mark)).toBe(0)
})
