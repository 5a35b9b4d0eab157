import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SummaryBuilder } from '../array-store/summary-builder.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { ArrayFileWriter } from './array-file-writer.ts'
import { type ColumnBlock, type RowBlock, sameColumn } from './column-block.ts'
import { GroupFile } from './group-file.ts'
import type { GroupAnswer, GroupRequest, GroupToRead } from './group-messages.ts'
import { GroupWork } from './group-work.ts'

const rows = 400
const samples = 100

/** `kinds` different values: many of them are hardly compressed, one is almost nothing afterwards. */
const listsOf = (kinds: number): ColumnBlock => {
  let state = 1
  const values = Float64Array.from({ length: rows * samples }, () => {
    state = Math.imul(state, 48271) >>> 0
    return Math.sin(state % kinds)
  })
  const lengths = new Uint32Array(rows).fill(samples)
  return {
    name: 'y_pred',
    width: 8,
    rows,
    valid: new Uint8Array(rows).fill(1),
    lengths,
    values: new Uint8Array(values.buffer),
    nulls: null,
  }
}

const kinds = [1, 2 ** 31, 1, 2 ** 31, 1000]

const writeLists = async (path: string): Promise<void> => {
  const writer = await ArrayFileWriter.create(path, [{ name: 'y_pred', type: 'DOUBLE[]' }])
  for (const kind of kinds) await writer.writeBlock([listsOf(kind)])
  await writer.finish(new SummaryBuilder().result())
  await writer.seal()
}

const takeAll = (group: GroupToRead): GroupRequest => ({ kind: 'take', group, rows: Uint32Array.from({ length: rows }, (_, row) => row) })

const isWritten = (block: RowBlock, kind: number): boolean => {
  const [column] = block
  return column !== undefined && sameColumn(column, listsOf(kind))
}

const isTaken = (answer: GroupAnswer, kind: number): boolean => answer.kind === 'taken' && isWritten(answer.block, kind)

test('pages are what was written, however much of the page before was left by compression', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'lists.parquet')
  await writeLists(path)
  const file = await GroupFile.open(path)
  try {
    for (const [group, kind] of kinds.entries()) expect([group, isWritten(await file.readGroup(group), kind)]).toEqual([group, true])
  } finally {
    await file.close()
  }
})

test('what was taken stays what it is while the next row group is read, and after one that is damaged', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'lists.parquet')
  await writeLists(path)
  const file = await GroupFile.open(path)
  try {
    const work = new GroupWork()
    const first = await work.answer(takeAll(file.groupToRead(1)))
    const wrong = file.groupToRead(3)
    const damaged = await work.answer(takeAll({ ...wrong, chunks: wrong.chunks.map((chunk) => ({ ...chunk, offset: chunk.offset + 1 })) }))
    const last = await work.answer(takeAll(file.groupToRead(4)))
    expect(isTaken(first, 2 ** 31)).toBe(true)
    expect(damaged).toMatchObject({ kind: 'damaged', column: 'y_pred' })
    expect(isTaken(last, 1000)).toBe(true)
    expect(isTaken(last, 2 ** 31)).toBe(false)
  } finally {
    await file.close()
  }
})
