import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../testing/make-store.ts'
import { markFile } from './hash-file.ts'
import { takeBack } from './take-back.ts'

/** What is under the name and under the second name when a job is stopped, what the job meant to put there, and what has to be left. */
const cases: [string, { target: string | null; kept: string | null; meant: string; left: string | null }][] = [
  ['a file that took the place of another', { target: 'new', kept: 'old', meant: 'new', left: 'old' }],
  ['a file that has a second name and its own', { target: 'old', kept: 'linked', meant: 'new', left: 'old' }],
  ['a file that was moved because there are no links', { target: null, kept: 'old', meant: 'new', left: 'old' }],
  ['a file that has no second name yet', { target: 'old', kept: null, meant: 'new', left: 'old' }],
  ['a file that has no second name yet, and is what was to come', { target: 'same', kept: null, meant: 'same', left: 'same' }],
  ['a file that took the place of one with the same content', { target: 'same', kept: 'same', meant: 'same', left: 'same' }],
  ['a file that somebody has changed since', { target: 'changed', kept: 'old', meant: 'new', left: 'changed' }],
]

test.each(cases)('taking back once and again: %s', async (_, { target, kept, meant, left }) => {
  await using folder = await temporaryFolder()
  const at = (name: string) => join(folder.path, name)
  await mkdir(at('replaced'))
  await writeFile(at('staged'), meant)
  const mark = await markFile(at('staged'))
  await rm(at('staged'))
  if (target !== null) await writeFile(at('wheat'), target)
  if (kept === 'linked') await link(at('wheat'), at('replaced/wheat'))
  else if (kept !== null) await writeFile(at('replaced/wheat'), kept)
  const placed = [{ target: 'wheat', mark, replaced: 'replaced/wheat' }]
  for (const _again of [false, true]) {
    await takeBack(folder.path, placed)
    expect(await readFile(at('wheat'), 'utf8')).toBe(left)
  }
})

test('taking back what took the place of nothing: it goes, unless somebody has changed it', async () => {
  await using folder = await temporaryFolder()
  const placed = []
  for (const name of ['own', 'changed']) {
    await writeFile(join(folder.path, name), 'new')
    placed.push({ target: name, mark: await markFile(join(folder.path, name)), replaced: null })
  }
  await writeFile(join(folder.path, 'changed'), 'more')
  await takeBack(folder.path, placed)
  expect(await readdir(folder.path)).toEqual(['changed'])
})
