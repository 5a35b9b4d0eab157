import { parentPort } from 'node:worker_threads'
import { ArraysDigest } from './arrays-digest.ts'
import { blockChecksums } from './block-checksum.ts'
import type { RowBlock } from './column-block.ts'
import { decoderMemory, ParquetDecoder } from './decode-row-group.ts'
import { digestGroup } from './group-digest.ts'
import type { ReaderAnswer, ReaderRequest } from './reader-messages.ts'

/** The thread behind ParquetReader: decodes with parquet-wasm, which works synchronously and would hold up the caller. */
let decoder: ParquetDecoder | undefined
let digest = new ArraysDigest()

const answer = async (request: ReaderRequest): Promise<ReaderAnswer> => {
  if (request.kind === 'open') {
    decoder?.close()
    decoder = await ParquetDecoder.open(request.path)
    digest = new ArraysDigest(new Set(request.skippedIds))
    return { kind: 'opened', rowGroups: decoder.rowGroups }
  }
  if (request.kind === 'release') {
    decoder?.close()
    decoder = undefined
    return { kind: 'released', memory: decoderMemory() }
  }
  if (decoder === undefined) return { kind: 'failed', message: 'no file is open' }
  if (request.kind === 'finish') {
    decoder.close()
    decoder = undefined
    return { kind: 'finished', datasets: digest.results() }
  }
  if (request.kind === 'digest')
    return { kind: 'digest', digest: await decoder.useRowGroup(request.index, (block) => digestGroup(digest, block)) }
  if (!request.withValues) return { kind: 'row-group', block: [], checksums: await decoder.useRowGroup(request.index, blockChecksums) }
  const block = await decoder.rowGroup(request.index)
  return { kind: 'row-group', block, checksums: blockChecksums(block) }
}

/** The memory behind a block belongs to it alone: hand it over instead of copying. */
const buffersOf = (block: RowBlock): ArrayBuffer[] => {
  const buffers = new Set<ArrayBuffer>()
  for (const { values } of block) if (values.buffer instanceof ArrayBuffer && values.byteLength > 4096) buffers.add(values.buffer)
  return [...buffers]
}

let queue = Promise.resolve()
parentPort?.on('message', (request: ReaderRequest) => {
  queue = queue.then(async () => {
    const reply = await answer(request).catch((error: unknown): ReaderAnswer => ({ kind: 'failed', message: String(error) }))
    parentPort?.postMessage(reply, reply.kind === 'row-group' ? buffersOf(reply.block) : [])
  })
})
