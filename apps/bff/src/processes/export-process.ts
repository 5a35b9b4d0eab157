import { type ChildProcess, fork } from 'node:child_process'
import { Readable } from 'node:stream'
import { StorageError } from '@nirs-workspace/storage'
import type { ExportedFile } from '@nirs-workspace/types'
import { dataDescriptor, type ExportOrder, FromExport } from '../children/export-messages.ts'
import { fromWireError } from '../children/wire-error.ts'
import { Turns } from './turns.ts'

const entry = new URL('../children/export.ts', import.meta.url)

/** Exports at work at the same time; further ones wait. A file is soon made, and does not wait for who reads archives. */
const turns = { file: new Turns(2), zip: new Turns(3) }
/** An archive that has waited for its reader for so long in all lets the next one begin; as many as these at most. */
const patienceMs = 5000
const mostSlow = 20
let slow = 0
/** How long a process that is told to stop may clean up after itself. */
const graceMs = 1500

interface ExportProcess {
  /** What an archive is made of, as it is made. */
  pipe: Readable
  /** The last word of the process; rejects with what went wrong. */
  ended: Promise<FromExport>
  /** Resolves when the process is no more. */
  gone: Promise<void>
  /** Gives its place back while it is only the reader that is waited for. */
  letNext: () => void
  /** Makes the process stop and clean up. */
  stop: () => void
}

/** Starts a process when it is its turn, which lasts as long as the process lives or until it lets the next one begin. An abort stops it at any moment. */
const start = async (order: ExportOrder, signal: AbortSignal): Promise<ExportProcess> => {
  const give = await turns[order.type].take(signal)
  const child = forkOr(give)
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
  let isSlow = false
  const letNext = () => {
    if (isSlow || slow >= mostSlow || isOver(child)) return
    isSlow = true
    slow += 1
    give()
    void gone.then(() => {
      slow -= 1
    })
  }
  return { pipe, ended, gone, letNext, stop }
}

/** Where there is not even the memory for a process, none begins that could end. */
const forkOr = (give: () => void): ChildProcess => {
  try {
    return fork(entry, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc', 'pipe'], serialization: 'advanced', execArgv: [] })
  } catch (error) {
    give()
    throw error
  }
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
  const { pipe, ended, gone, letNext, stop } = await start(order, signal)
  let patience = patienceMs
  let timer: NodeJS.Timeout | undefined
  try {
    for await (const chunk of pipe) {
      const since = performance.now()
      timer = setTimeout(letNext, patience).unref()
      if (chunk instanceof Uint8Array) yield chunk
      clearTimeout(timer)
      patience = Math.max(0, patience - (performance.now() - since))
    }
    await ended
  } finally {
    clearTimeout(timer)
    stop()
    await gone
  }
}
