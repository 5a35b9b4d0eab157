import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { quotedString } from '../engine/attach-store.ts'
import { withEngine } from '../engine/open-engine.ts'
import { ParquetReader } from './parquet-reader.ts'
import { keepThread, takeThread } from './spare-thread.ts'

let folder: string
const good = () => join(folder, 'good.parquet')
const bad = () => join(folder, 'bad.parquet')

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nirs-workspace-thread-'))
  await withEngine({}, (engine) =>
    engine.run(
      `COPY (SELECT 'p' || i AS prediction_id, [i::DOUBLE] AS y_true FROM range(50) t(i)) TO ${quotedString(good())} (FORMAT parquet)`,
    ),
  )
  await writeFile(bad(), 'PAR1 is not enough')
})
afterAll(() => rm(folder, { recursive: true }))

const readAll = async (reader: ParquetReader, path: string) => {
  const { rowGroups } = await reader.open(path)
  const checksums = []
  for (let group = 0; group < rowGroups; group++) checksums.push((await reader.rowGroup(group)).checksums)
  return checksums
}

test('a reader that has found everything right leaves its thread to the next one, which reads the same', async () => {
  const first = new ParquetReader()
  const found = await readAll(first, good())
  await first.done()
  await first.close()
  const thread = takeThread()
  expect(thread.threadId).toBeGreaterThan(threadId)
  await keepThread(thread)
  const second = new ParquetReader()
  expect(await readAll(second, good())).toEqual(found)
  await expect(first.open(good())).rejects.toThrow('the reader is closed')
  await second.done()
  const again = takeThread()
  expect(again).toBe(thread)
  await again.terminate()
})

test('a thread that has met damage, or that was stopped in the middle, is not used again', async () => {
  const failed = new ParquetReader()
  await expect(failed.open(bad())).rejects.toMatchObject({ code: 'arrays_corrupt' })
  await failed.close()
  const stopped = new ParquetReader()
  await stopped.open(good())
  const answer = stopped.rowGroup(0)
  await stopped.close()
  await answer.catch(() => undefined)
  const [one, two] = [takeThread(), takeThread()]
  expect(one).not.toBe(two)
  await Promise.all([keepThread(one), keepThread(two)])
  const kept = takeThread()
  expect(kept).toBe(one)
  await kept.terminate()
})

test('a reader whose thread has failed is closed when its thread has ended, and with it its file', async () => {
  const thread = takeThread()
  await keepThread(thread)
  const reader = new ParquetReader()
  await reader.open(good())
  thread.emit('error', new Error('memory access out of bounds'))
  await expect(reader.rowGroup(0)).rejects.toThrow('memory access out of bounds')
  await reader.close()
  expect(thread.threadId).toBe(-1)
})
