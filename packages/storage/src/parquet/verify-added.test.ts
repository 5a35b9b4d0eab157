import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SummaryBuilder } from '../array-store/summary-builder.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { type AddedData, ArrayFileWriter } from './array-file-writer.ts'
import type { ColumnBlock } from './column-block.ts'
import { verifyAdded } from './verify-added.ts'

const scores: ColumnBlock = {
  name: 'score',
  width: 8,
  rows: 3,
  valid: Uint8Array.of(1, 1, 1),
  lengths: null,
  values: new Uint8Array(new Float64Array([1, 2, 3]).buffer),
  nulls: null,
}

const writeScores = async (path: string): Promise<AddedData> => {
  const writer = await ArrayFileWriter.create(path, [{ name: 'score', type: 'DOUBLE' }])
  await writer.writeBlock([scores])
  const added = await writer.finish(new SummaryBuilder().result())
  await writer.seal()
  return added
}

const changes: [string, string, (added: AddedData) => AddedData][] = [
  ['bytes', 'its bytes are others', (added) => ({ ...added, sha256: '0'.repeat(64) })],
  [
    'values',
    'values of score',
    (added) => ({ ...added, encoded: added.encoded.map((group) => ({ ...group, checksums: new Map([['score', '00000000']]) })) }),
  ],
  [
    'footer',
    'its footer is another',
    (added) => ({ ...added, footer: Uint8Array.from(added.footer, (byte, at) => byte ^ (at === 9 ? 1 : 0)) }),
  ],
  ['number of rows', 'its footer does not add up', (added) => ({ ...added, rows: 4 })],
]

test.each(changes)('a file whose %s are not those that were meant is refused', async (_, reason, change) => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'scores.parquet')
  const added = await writeScores(path)
  await verifyAdded(path, added)
  const refused = { code: 'verification_failed', message: expect.stringContaining(reason) }
  await expect(verifyAdded(path, change(added))).rejects.toMatchObject(refused)
})

test('a file that goes on behind its footer is refused', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'scores.parquet')
  const added = await writeScores(path)
  await appendFile(path, 'more')
  await expect(verifyAdded(path, added)).rejects.toMatchObject({ code: 'verification_failed' })
})
