import { type ChildProcess, fork } from 'node:child_process'
import { Readable } from 'node:stream'
import { StorageError } from '@nirs-workspace/storage'
import type { ExportedFile } from '@nirs-workspace/types'
import { dataDescriptor, type ExportOrder, FromExport } from '../children/export-messages.ts'
import { fromWireError } from '../children/wire-error.ts'
import { Turns } from './turns.ts'

const entry = new URL('../children/export.ts', import.meta.url)

/** Exports at work at the same time; further ones wait. */
const turns = new Turns(3)
/** How long a process that is told to stop may clean up after itself. */
const graceMs = 1500

interface ExportProcess {
  /** What an archive is made of, as it is made. */
  pipe: Readable
  /** The last word of the process; rejects with what went wrong. */
  ended: Promise<FromExport>
  /** Resolves when the process is no more. */
  gone: Promise<void>
  /** Makes the process stop and clean up. */
  stop: () => void
}

/** Starts a process when it is its turn, which lasts as long as the process lives. An abort stops it at any moment. */
const start = async (order: ExportOrder, signal: AbortSignal): Promise<ExportProcess> => {
  const give = await turns.take(signal)
  const child = fork(entry, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc', 'pipe'], serialization: 'advanced', execArgv: [] })
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    // A process that could not be started never exits.
    child.once('error', () => child.pid === undefined && resolve())
  })
  void gone.then(give)
  const ended = lastWord(child)
  // Whoever is interested hears of a failure; that nobody is must not count as unhandled.
  ended.catch(() => undefined)
  const pipe = child.stdio[dataDescriptor]
  if (!(pipe instanceof Readable)) throw new Error('The export process has no data pipe.')
  const stop = () => {
    // A process that waits for its pipe to be read wakes up when nobody is at the other end.
    pipe.destroy()
    if (!isOver(child) && !child.killed) end(child)
  }
  signal.addEventListener('abort', stop, { once: true })
  void gone.then(() => signal.removeEventListener('abort', stop))
  child.send(order)
  return { pipe, ended, gone, stop }
}

const lastWord = (child: ChildProcess): Promise<FromExport> =>
  new Promise((resolve, reject) => {
    child.on('message', (raw) => {
      const { data: message, error } = FromExport.safeParse(raw)
      if (message === undefined) reject(error)
      else if (message.type === 'error') reject(fromWireError(message.error))
      else resolve(message)
    })
    child.on('error', reject)
    child.on('exit', () => reject(new StorageError('reader_failed', 'The process that made the export stopped. No file was kept.')))
  })

const isOver = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

const end = (child: ChildProcess): void => {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
  child.once('exit', () => clearTimeout(timer))
}

/** Writes one file in a process of its own. An abort leaves nothing behind. */
export const exportToFile = async (order: Extract<ExportOrder, { type: 'file' }>, signal: AbortSignal): Promise<ExportedFile> => {
  const { ended, gone } = await start(order, signal)
  try {
    const last = await ended
    if (last.type !== 'file') throw new Error('The export process answered something else than a file.')
    return last.file
  } catch (error) {
    await gone
    throw error
  }
}

/**
 * An archive as it is made. The chunks end well only when the process says that the archive is complete; otherwise they fail, so that
 * the connection breaks and no short file looks whole. When they have ended, so has the process.
 */
export async function* exportToStream(order: Extract<ExportOrder, { type: 'zip' }>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { pipe, ended, gone, stop } = await start(order, signal)
  try {
    for await (const chunk of pipe) if (chunk instanceof Uint8Array) yield chunk
    await ended
  } finally {
    stop()
    await gone
  }
}
