import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { readFooter } from '../../parquet/footer.ts'
import { GroupFile } from '../../parquet/group-file.ts'
import { loadAll, madeRecords, temporaryStore } from './made-records.ts'

/** Flips single bits anywhere before the footer of a file with three row groups; the places that the deep check did not find, or that a read served. */
export const unnoticedFlips = async (count: number): Promise<string[]> => {
  await using workspace = await temporaryStore()
  const { store, arrays } = workspace
  for (let round = 0; round < 3; round++) {
    const samples = Array.from({ length: 40 }, (_, index) => Math.sin(index + round))
    await store.saveBatch(madeRecords(30, { y_true: samples }, `r${round}`))
  }
  const path = join(arrays, 'wheat.parquet')
  const { start } = await readFooter(path)
  const before = await loadAll(store, 'wheat')
  const missed: string[] = []
  for (let round = 0; round < count; round++) {
    const [place, bit] = [4 + Math.floor(Math.random() * (start - 4)), Math.floor(Math.random() * 8)]
    await flipBit(path, place, bit)
    const { corrupt } = await store.integrityCheck({ deep: true })
    if (corrupt.length === 0) missed.push(`deep check: byte ${place}, bit ${bit}`)
    // In the header of a page a bit may mean nothing; in its values every bit counts.
    const served = await loadAll(store, 'wheat').catch(() => null)
    if (served !== null && !isDeepStrictEqual(served, before)) missed.push(`read: byte ${place}, bit ${bit}`)
    await flipBit(path, place, bit)
  }
  return missed
}

export const flipBit = async (path: string, place: number, bit: number): Promise<void> => {
  const handle = await open(path, 'r+')
  try {
    const byte = Buffer.alloc(1)
    await handle.read(byte, 0, 1, place)
    byte[0] = (byte[0] ?? 0) ^ (1 << bit)
    await handle.write(byte, 0, 1, place)
  } finally {
    await handle.close()
  }
}

/** Flips a bit of the last byte of a page. */
export const flipIn = async (path: string, group: number, column: string): Promise<void> => {
  const file = await GroupFile.open(path)
  const [chunk] = file.groupToRead(group, [column]).chunks
  await file.close()
  if (chunk === undefined) throw new Error(`There is no ${column}.`)
  await flipBit(path, chunk.offset + chunk.bytes - 1, 2)
}
