/** Milliseconds that `work` takes. */
export const timed = async <T>(work: () => Promise<T>): Promise<{ result: T; milliseconds: number }> => {
  const started = performance.now()
  const result = await work()
  return { result, milliseconds: performance.now() - started }
}

/** The value below which `share` of the values lie (nearest rank). */
export const percentile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

export const median = (values: readonly number[]): number => percentile(values, 0.5)

/** What work and baseline take when nothing else holds up the disk: of gigabytes, every third round waits a second and more for it. */
export const least = (values: readonly number[]): number => Math.min(...values)

/** Times of `rounds` calls one after the other. */
export const times = async (rounds: number, work: (round: number) => Promise<unknown>): Promise<number[]> => {
  const found: number[] = []
  for (let round = 0; round < rounds; round++) found.push((await timed(() => work(round))).milliseconds)
  return found
}
