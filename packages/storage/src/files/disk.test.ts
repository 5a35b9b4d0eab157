import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { temporaryFolder } from '../testing/make-store.ts'
import { copyDurably, createFile, replaceTail, syncFile, syncFolder, writeNewFile } from './disk.ts'
import { setFaultHook } from './fault-point.ts'
import { growCopy } from './grow-file.ts'

afterEach(() => {
  setFaultHook(undefined)
  vi.restoreAllMocks()
})

/** Every primitive that flushes, on files of its own. */
const primitives: Record<string, (folder: string) => Promise<unknown>> = {
  writeNewFile: (folder) => writeNewFile(join(folder, 'new'), 'text'),
  createFile: async (folder) => {
    const file = await createFile(join(folder, 'new'))
    await file.append([Buffer.from('text')])
    await file.finish()
  },
  growCopy: async (folder) => {
    const file = await growCopy(join(folder, 'there'), join(folder, 'new'), 3)
    await file.append([Buffer.from('text')])
    await file.finish()
  },
  syncFile: (folder) => syncFile(join(folder, 'there')),
  syncFolder,
  replaceTail: (folder) => replaceTail(join(folder, 'there'), 3, Buffer.from('text')),
  copyDurably: (folder) => copyDurably(join(folder, 'there'), join(folder, 'new')),
}

test.each(Object.entries(primitives))('%s: what is announced as flushed has reached the system, and only then', async (_, run) => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'there')
  await writeFile(path, 'there')
  const handle = await open(path)
  const sync = vi.spyOn(Object.getPrototypeOf(handle), 'sync')
  await handle.close()
  const order: string[] = []
  setFaultHook(({ kind }) => void order.push(kind))
  sync.mockImplementation(async () => void order.push('flushed'))
  await run(folder.path)
  expect(order.at(-1)).toBe('flushed')
  expect(order.at(-2)).toMatch(/^fsync/)
  expect(sync).toHaveBeenCalledTimes(1)
})

test('a new file and a copy never take a name that is there', async () => {
  await using folder = await temporaryFolder()
  const [there, other] = [join(folder.path, 'there'), join(folder.path, 'other')]
  await writeFile(there, 'there')
  await writeFile(other, 'other')
  for (const work of [
    () => writeNewFile(there, 'new'),
    () => createFile(there),
    () => copyDurably(other, there),
    () => growCopy(other, there, 2),
  ]) {
    await expect(work()).rejects.toMatchObject({ code: 'EEXIST' })
  }
  expect(await readFile(there, 'utf8')).toBe('there')
})
