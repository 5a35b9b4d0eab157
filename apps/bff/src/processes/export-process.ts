import { type ChildProcess, fork } from 'node:child_process'
import { Readable } from 'node:stream'
import { StorageError } from '@nirs-workspace/storage'
import type { ExportedFile } from '@nirs-workspace/types'
import { dataDescriptor, type ExportOrder, FromExport } from '../children/export-messages.ts'
import { fromWireError } from '../children/wire-error.ts'
import { Turns } from './turns.ts'

const entry = new URL('../children/export.ts', import.meta.url)

interface ExportProcess {
  child: ChildProcess
  /** The last word of the process; rejects with what went wrong. */
  ended: Promise<FromExport>
}

const start = (order: ExportOrder): ExportProcess => {
  const child = fork(entry, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc', 'pipe'], serialization: 'advanced', execArgv: [] })
  const ended = new Promise<FromExport>((resolve, reject) => {
    child.on('message', (raw) => {
      const { data: message, error } = FromExport.safeParse(raw)
      if (message === undefined) reject(error)
      else if (message.type === 'error') reject(fromWireError(message.error))
      else resolve(message)
    })
    child.on('error', reject)
    child.on('exit', () => reject(new StorageError('reader_failed', 'The process that made the export stopped. No file was kept.')))
  })
  child.send(order)
  return { child, ended }
}

/** Asks the process to stop and clean up; makes sure of it a little later. */
const stop = (child: ChildProcess): void => {
  child.kill('SIGTERM')
  setTimeout(() => child.kill('SIGKILL'), 1500).unref()
}

/** Writes one file in a process of its own. An abort leaves nothing behind. */
export const exportToFile = (order: Extract<ExportOrder, { type: 'file' }>, signal: AbortSignal): Promise<ExportedFile> =>
  turns.run(() => exportFileNow(order, signal))

/** Exports at work at the same time; further ones wait. */
const turns = new Turns(3)

const exportFileNow = async (order: Extract<ExportOrder, { type: 'file' }>, signal: AbortSignal): Promise<ExportedFile> => {
  if (signal.aborted) throw new StorageError('cancelled', 'The export was given up.')
  const { child, ended } = start(order)
  const onAbort = () => stop(child)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    const last = await ended
    if (last.type !== 'file') throw new Error('The export process answered something else than a file.')
    return last.file
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/**
 * An archive as it is made. The chunks end well only when the process says that the archive is complete; otherwise they fail, so that
 * the connection breaks and no short file looks whole.
 */
export async function* exportToStream(order: Extract<ExportOrder, { type: 'zip' }>): AsyncGenerator<Uint8Array> {
  const give = await turns.take()
  try {
    const { child, ended } = start(order)
    const pipe = child.stdio[dataDescriptor]
    if (!(pipe instanceof Readable)) throw new Error('The export process has no data pipe.')
    yield* wholeOrError(pipe, ended, child)
  } finally {
    give()
  }
}

async function* wholeOrError(pipe: Readable, ended: Promise<FromExport>, child: ChildProcess): AsyncGenerator<Uint8Array> {
  // Awaited at the end only; a failure before that must not count as unhandled.
  ended.catch(() => undefined)
  try {
    for await (const chunk of pipe) if (chunk instanceof Uint8Array) yield chunk
    await ended
  } finally {
    if (child.exitCode === null) stop(child)
  }
}
