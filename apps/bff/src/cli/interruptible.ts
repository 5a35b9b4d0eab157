/** Runs work that Ctrl-C stops in good order: the signal fires once, a second Ctrl-C ends the process as usual. */
export const interruptible = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const abort = new AbortController()
  const stop = () => abort.abort(new Error('cancelled'))
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  try {
    return await work(abort.signal)
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}
