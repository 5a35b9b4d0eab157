import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLog } from '../log.ts'
import { Recents } from './recents.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nirs-recents-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const config = () => join(folder, 'config')
const open = () =>
  new Recents(
    config(),
    createLog(() => undefined),
  )
const names = (recents: Recents) => recents.list().map(({ name }) => name)

test('two servers of one user keep each other’s entries, and what one has forgotten stays forgotten', async () => {
  const [one, two] = [open(), open()]
  one.add('/data/a', 'a')
  two.add('/data/b', 'b')
  one.add('/data/c', 'c')
  for (const recents of [one, two, open()]) expect(names(recents)).toEqual(['c', 'b', 'a'])
  two.remove('/data/a')
  one.add('/data/b', 'b')
  for (const recents of [one, two, open()]) expect(names(recents)).toEqual(['b', 'c'])
  expect(await readdir(config())).toEqual(['recents.json'])
})

test('what could not be saved is known to this server, and saved with the next entry', async () => {
  await writeFile(config(), 'a file where the folder should be')
  const recents = open()
  recents.add('/data/a', 'a')
  recents.add('/data/b', 'b')
  recents.remove('/data/a')
  expect(names(recents)).toEqual(['b'])
  await rm(config())
  open().add('/data/other', 'other')
  recents.add('/data/c', 'c')
  expect(names(open()).toSorted()).toEqual(['b', 'c', 'other'])
})

test('a damaged list starts anew; a long one keeps the newest', async () => {
  await mkdir(config())
  await writeFile(join(config(), 'recents.json'), '{"recents": [')
  const recents = open()
  expect(names(recents)).toEqual([])
  for (let index = 0; index < 25; index++) recents.add(`/data/${index}`, `${index}`)
  expect(names(open())).toHaveLength(20)
  expect(names(open())[0]).toBe('24')
})
