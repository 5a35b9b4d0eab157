/** A line on the terminal for as long as work takes that tells no progress; nothing when standard error is no terminal. */
export const whileWaiting = async <T>(message: string, work: () => Promise<T>): Promise<T> => {
  if (!process.stderr.isTTY) return work()
  process.stderr.write(message)
  try {
    return await work()
  } finally {
    process.stderr.write('\r\u001b[2K')
  }
}
