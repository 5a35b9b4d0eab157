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
const silent = createLog(() => undefined)
const open = () => new Recents(config(), silent)
const names = async (recents: Recents) => (await recents.list()).map(({ name }) => name)

test('two servers of one user keep each other’s entries, and what one has forgotten stays forgotten', async () => {
  const [one, two] = [open(), open()]
  one.add('/data/a', 'a')
  two.add('/data/b', 'b')
  one.add('/data/c', 'c')
  for (const recents of [one, two, open()]) expect(await names(recents)).toEqual(['c', 'b', 'a'])
  two.remove('/data/a')
  one.add('/data/b', 'b')
  for (const recents of [one, two, open()]) expect(await names(recents)).toEqual(['b', 'c'])
  expect(await readdir(config())).toEqual(['recents.json'])
})

test('what could not be saved is known to this server, and saved with the next entry', async () => {
  await writeFile(config(), 'a file where the folder should be')
  const recents = open()
  recents.add('/data/a', 'a')
  recents.add('/data/b', 'b')
  recents.remove('/data/a')
  expect(await names(recents)).toEqual(['b'])
  await rm(config())
  open().add('/data/other', 'other')
  recents.add('/data/c', 'c')
  expect((await names(open())).toSorted()).toEqual(['b', 'c', 'other'])
})

test('a damaged list starts anew; a long one keeps the newest', async () => {
  await mkdir(config())
  await writeFile(join(config(), 'recents.json'), '{"recents": [')
  const recents = open()
  expect(await names(recents)).toEqual([])
  for (let index = 0; index < 25; index++) recents.add(`/data/${index}`, `${index}`)
  const kept = await names(open())
  expect([kept.length, kept[0]]).toEqual([20, '24'])
})

test('a path on a disk that does not answer holds up nobody: it counts as last seen, and is not asked again until it has answered', async () => {
  const looks: string[] = []
  let { promise, resolve } = Promise.withResolvers<boolean>()
  const recents = new Recents(config(), silent, (path) => {
    looks.push(path)
    return path === '/mount/hung' ? promise : Promise.resolve(path !== '/data/gone')
  })
  for (const name of ['/data/here', '/data/gone', '/mount/hung']) recents.add(name, name)
  const there = async () => (await recents.list()).filter(({ exists }) => exists).map(({ name }) => name)
  expect(await there()).toEqual(['/data/here'])
  expect(await there()).toEqual(['/data/here'])
  expect(looks.filter((path) => path === '/mount/hung')).toHaveLength(1)
  resolve(true)
  expect(await there()).toEqual(['/mount/hung', '/data/here'])
  ;({ promise, resolve } = Promise.withResolvers<boolean>())
  expect(await there()).toEqual(['/mount/hung', '/data/here'])
})

test('a path that nobody could look at yet, because dead disks take every turn, is not told as missing', async () => {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const recents = new Recents(config(), silent, (path) => (path.startsWith('/mount/') ? promise : Promise.resolve(false)))
  for (const path of ['/data/gone', '/mount/one', '/mount/two']) recents.add(path, path)
  const missing = async () => (await recents.list()).filter(({ exists }) => !exists).map(({ name }) => name)
  expect(await missing()).toEqual(['/mount/two', '/mount/one'])
  resolve(true)
  expect(await missing()).toEqual(['/data/gone'])
})
