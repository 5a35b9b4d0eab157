import { ArrayReader, encodeArrays, makeScatter, StorageError, toWireArrays } from '@nirs-workspace/storage'
import { endAtOnce, followParent, tellParent } from './child-process.ts'
import { type FromReader, type ReaderOrder, ToReader } from './reader-messages.ts'
import { toWireError } from './wire-error.ts'

const reader = await ArrayReader.open()
const running = new Map<number, { answer: AsyncGenerator<Uint8Array<ArrayBufferLike>>; abort: AbortController }>()

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

async function* answerOrder(order: ReaderOrder, signal: AbortSignal): AsyncGenerator<Uint8Array<ArrayBufferLike>> {
  if (order.type === 'many') {
    yield* order.format === 'binary' ? manyBinary(order, signal) : manyJson(order, signal)
    return
  }
  const row = await reader.loadOne(order.places, order.ref, { signal })
  if (row === null) throw noArrays(order.ref.prediction_id)
  if (order.type === 'scatter') yield json(makeScatter(order.row, row))
  else yield order.format === 'binary' ? encodeArrays([row]) : json(toWireArrays(row))
}

type ManyOrder = Extract<ReaderOrder, { type: 'many' }>

async function* manyBinary({ places, refs }: ManyOrder, signal: AbortSignal): AsyncGenerator<Uint8Array<ArrayBufferLike>> {
  for await (const rows of reader.load(places, refs, { signal })) if (rows.length > 0) yield encodeArrays(rows)
}

/** `missing` lists the predictions that have no arrays, so that fewer rows than ids never pass silently. */
async function* manyJson({ places, refs }: ManyOrder, signal: AbortSignal): AsyncGenerator<Uint8Array<ArrayBufferLike>> {
  const missing = new Set(refs.map((ref) => ref.prediction_id))
  let before = '{"rows":['
  for await (const rows of reader.load(places, refs, { signal })) {
    for (const row of rows) missing.delete(row.prediction_id)
    if (rows.length === 0) continue
    yield new TextEncoder().encode(before + rows.map((row) => JSON.stringify(toWireArrays(row))).join(','))
    before = ','
  }
  yield new TextEncoder().encode(`${before === ',' ? '' : before}],"missing":${JSON.stringify([...missing])}}`)
}

const noArrays = (id: string) =>
  new StorageError('arrays_missing', `The prediction ${id} has no arrays.`, { hint: 'It was saved without arrays, or they were removed.' })

const send = (message: FromReader): Promise<void> => tellParent(message)

const sendNext = async (id: number): Promise<void> => {
  const entry = running.get(id)
  if (entry === undefined) return
  try {
    const next = await entry.answer.next()
    if (next.done !== true) return await send({ type: 'chunk', id, data: next.value })
    running.delete(id)
    await send({ type: 'end', id })
  } catch (error) {
    running.delete(id)
    await send({ type: 'error', id, error: toWireError(error) })
  }
}

const stop = (id: number): void => {
  const entry = running.get(id)
  running.delete(id)
  entry?.abort.abort()
  void entry?.answer.return(undefined)
}

followParent(endAtOnce)
process.on('message', (raw) => {
  const message = ToReader.parse(raw)
  if (message.type === 'stop') return stop(message.id)
  if (message.type === 'start') {
    const abort = new AbortController()
    running.set(message.id, { answer: answerOrder(message.order, abort.signal), abort })
  }
  void sendNext(message.id)
})
