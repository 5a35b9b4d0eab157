/** Waits for whichever of the works is first, at most `ms` milliseconds. What is slower goes on by itself. */
export const within = async (ms: number, ...works: Promise<void>[]): Promise<void> => {
  const { promise: patience, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  try {
    await Promise.race([...works, patience])
  } finally {
    clearTimeout(timer)
  }
}
