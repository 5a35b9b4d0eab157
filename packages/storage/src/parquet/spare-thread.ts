import { Worker } from 'node:worker_threads'

/** Milliseconds for which a thread without work is kept. */
const keptFor = 5000

let spare: { readonly worker: Worker; readonly forget: () => void } | undefined

/** A thread that reads Parquet files: the one kept last, or a new one, which takes some 90 ms of a processor. */
export const takeThread = (): Worker => {
  const kept = spare
  if (kept === undefined) return new Worker(new URL('./reader-thread.ts', import.meta.url))
  kept.forget()
  kept.worker.ref()
  return kept.worker
}

/** Keeps a thread without file or work for the next reader, for a few seconds; it does not keep the process alive. One is kept at most. */
export const keepThread = async (worker: Worker): Promise<void> => {
  if (spare !== undefined) {
    await worker.terminate()
    return
  }
  const timer = setTimeout(() => {
    forget()
    void worker.terminate()
  }, keptFor)
  timer.unref()
  const forget = () => {
    clearTimeout(timer)
    worker.off('error', forget).off('exit', forget)
    spare = undefined
  }
  // One that ends by itself is simply not there any more.
  worker.on('error', forget).on('exit', forget)
  worker.unref()
  spare = { worker, forget }
}
