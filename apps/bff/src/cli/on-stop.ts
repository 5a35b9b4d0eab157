/** A terminal tells every program of its group of Ctrl-C, and those that stand before us pass it on: what follows so soon is the same one. */
const repeatMs = 500

/**
 * Calls `stop` at the first SIGINT or SIGTERM; a later one ends the process as usual. The function that it returns ends that, when the repeats
 * of the first have come.
 */
export const onStop = (stop: () => void): (() => void) => {
  let stoppedAt: number | undefined
  const hear = (signal: NodeJS.Signals): void => {
    if (stoppedAt === undefined) {
      stoppedAt = performance.now()
      stop()
    } else if (performance.now() - stoppedAt > repeatMs) {
      hearNoMore()
      process.kill(process.pid, signal)
    }
  }
  const hearNoMore = (): void => {
    process.off('SIGINT', hear)
    process.off('SIGTERM', hear)
  }
  process.on('SIGINT', hear)
  process.on('SIGTERM', hear)
  return () => {
    const left = stoppedAt === undefined ? 0 : stoppedAt + repeatMs - performance.now()
    if (left <= 0) hearNoMore()
    else setTimeout(hearNoMore, left).unref()
  }
}
