import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
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

test('what a call wrote only a part of, as on a disk with little space, is written to its end', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'there')
  await writeFile(path, 'there')
  const handle = await open(path)
  const methods: object = Object.getPrototypeOf(handle)
  await handle.close()
  replaceCalls(methods, 'write', ([bytes, from, length, position]) => [bytes, from, Math.min(Number(length), 3), position])
  replaceCalls(methods, 'writev', ([pieces, ...rest]) => [Array.isArray(pieces) ? pieces.slice(0, 1) : pieces, ...rest])
  const text = [Buffer.from('a longer text, '), Buffer.from('in two pieces')]
  const [created, grown] = [await createFile(join(folder.path, 'created')), await growCopy(path, join(folder.path, 'grown'), 3)]
  for (const file of [created, grown]) {
    await file.append(text)
    await file.finish()
  }
  await replaceTail(path, 3, Buffer.concat(text))
  const whole = Buffer.concat(text).toString()
  expect(await readFile(join(folder.path, 'created'), 'utf8')).toBe(whole)
  expect(await readFile(join(folder.path, 'grown'), 'utf8')).toBe(`the${whole}`)
  expect(await readFile(path, 'utf8')).toBe(`the${whole}`)
})

/** Until the end of the test, the method gets other arguments than it is called with. */
const replaceCalls = (methods: object, name: string, change: (given: readonly unknown[]) => readonly unknown[]): void => {
  const original: unknown = Reflect.get(methods, name)
  if (typeof original !== 'function') throw new Error(`${name} is no method.`)
  Reflect.set(methods, name, function (this: unknown, ...given: readonly unknown[]): unknown {
    return Reflect.apply(original, this, change(given))
  })
  onTestFinished(() => void Reflect.set(methods, name, original))
}
