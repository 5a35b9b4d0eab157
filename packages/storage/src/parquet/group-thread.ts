import { parentPort } from 'node:worker_threads'
import type { GroupAnswer, GroupRequest } from './group-messages.ts'
import { GroupWork } from './group-work.ts'

/** A thread behind GroupThreads. */
const work = new GroupWork()

/** Memory that belongs to the answer alone is handed over instead of copied; small pieces lie together with others. */
const buffersOf = (answer: GroupAnswer): ArrayBuffer[] => {
  const pieces = answer.kind === 'taken' ? answer.block.map(({ values }) => values) : answer.kind === 'encoded' ? answer.encoded.pieces : []
  const buffers = new Set<ArrayBuffer>()
  for (const { buffer, byteLength } of pieces) if (buffer instanceof ArrayBuffer && byteLength > Buffer.poolSize) buffers.add(buffer)
  return [...buffers]
}

let queue = Promise.resolve()
parentPort?.on('message', (request: GroupRequest) => {
  queue = queue.then(async () => {
    const answer = await work.answer(request)
    parentPort?.postMessage(answer, buffersOf(answer))
  })
})
