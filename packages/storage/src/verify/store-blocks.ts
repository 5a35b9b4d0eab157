import { execFile } from 'node:child_process'
import { open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as z from 'zod'

/** What the checksums of a DuckDB file say: which of its three headers and which blocks do not have the bytes they were written with. */
export const StoreBlocks = z.object({ blocks: z.number().int(), headers: z.array(z.number().int()), damaged: z.array(z.number().int()) })
export type StoreBlocks = z.infer<typeof StoreBlocks>

const run = promisify(execFile)
const entry = fileURLToPath(new URL('./store-blocks-child.ts', import.meta.url))

/**
 * Reads all of a DuckDB file, also the indexes and free blocks that no query passes through, and compares the checksum of every block.
 * In a child process: closing a descriptor of an attached file here would drop DuckDB's lock. Null for another layout of the file.
 */
export const checkStoreBlocks = async (path: string, signal?: AbortSignal): Promise<StoreBlocks | null> => {
  const { stdout } = await run(process.execPath, ['--no-warnings', entry, path], {
    env: {},
    maxBuffer: 64 * 1024 * 1024,
    ...(signal === undefined ? {} : { signal }),
  })
  return StoreBlocks.nullable().parse(JSON.parse(stdout))
}

const headerBytes = 4096
const firstBlock = 3 * headerBytes
const checksumBytes = 8

/** The main header, two database headers that take turns, then blocks of one size; each begins with the checksum of the rest of it. */
export const readStoreBlocks = async (path: string): Promise<StoreBlocks | null> => {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    const head = Buffer.alloc(firstBlock)
    if ((await handle.read(head, 0, firstBlock, 0)).bytesRead < firstBlock || head.toString('latin1', 8, 12) !== 'DUCK') return null
    const headers = [0, 1, 2].filter((header) => !isIntact(head.subarray(header * headerBytes, (header + 1) * headerBytes)))
    const blockBytes = blockSize(head)
    if (blockBytes === null) return null
    const block = Buffer.alloc(blockBytes)
    // A file that is being made longer may end within a block that nothing refers to yet.
    const blocks = Math.floor((size - firstBlock) / blockBytes)
    const damaged: number[] = []
    for (let number = 0; number < blocks; number++) {
      await handle.read(block, 0, blockBytes, firstBlock + number * blockBytes)
      if (!isIntact(block)) damaged.push(number)
    }
    return { blocks, headers, damaged }
  } finally {
    await handle.close()
  }
}

/** Of the newer database header that is intact; null when what it says is no size of blocks. */
const blockSize = (head: Buffer): number | null => {
  const [newest] = [1, 2]
    .map((header) => head.subarray(header * headerBytes, (header + 1) * headerBytes))
    .filter(isIntact)
    .toSorted((a, b) => Number(b.readBigUInt64LE(8) - a.readBigUInt64LE(8)))
  const bytes = Number(newest?.readBigUInt64LE(40) ?? 0n)
  return bytes >= 4096 && bytes <= 4 * 1024 * 1024 && bytes % headerBytes === 0 ? bytes : null
}

const factorLow = 0x1ce4e5b9
const factorHigh = 0xbf58476d
const [lowPart, highPart] = [factorLow & 0xffff, factorLow >>> 16]

/** DuckDB's: every 8 bytes times a constant, modulo 2^64, all of them XORed onto 5381. In halves of 32 bits, as bigints are slow. */
const isIntact = (block: Buffer): boolean => {
  let low = 5381
  let high = 0
  for (let at = checksumBytes; at < block.length; at += 8) {
    const [wordLow, wordHigh] = [block.readInt32LE(at), block.readInt32LE(at + 4)]
    const [a, b] = [wordLow & 0xffff, wordLow >>> 16]
    const [aLow, bLow, aHigh] = [Math.imul(a, lowPart) >>> 0, Math.imul(b, lowPart) >>> 0, Math.imul(a, highPart) >>> 0]
    const middle = (aLow >>> 16) + (bLow & 0xffff) + (aHigh & 0xffff)
    const carried = Math.imul(b, highPart) + (bLow >>> 16) + (aHigh >>> 16) + (middle >>> 16)
    low ^= (middle << 16) | (aLow & 0xffff)
    high ^= carried + Math.imul(wordHigh, factorLow) + Math.imul(wordLow, factorHigh)
  }
  return block.readInt32LE(0) === low && block.readInt32LE(4) === high
}
