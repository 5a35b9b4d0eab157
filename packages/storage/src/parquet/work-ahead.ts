// Of values at work or waiting to be used.
const mostBytes = 128e6

/**
 * Does work ahead of its use, results in order: at most `width` items at a time, fewer when they are large. Whoever stops early waits for what
 * has begun.
 */
export async function* workAhead<Item, Result>(
  items: Iterable<Item>,
  { width, bytesOf }: { width: number; bytesOf: (item: Item) => number },
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<{ item: Item; result: Result }> {
  const begun: { item: Item; bytes: number; result: Promise<Result> }[] = []
  let bytes = 0
  try {
    for (const item of items) {
      const more = bytesOf(item)
      while (begun.length >= width || (begun.length > 0 && bytes + more > mostBytes)) {
        const [first] = begun
        if (first === undefined) break
        yield { item: first.item, result: await first.result }
        begun.shift()
        bytes -= first.bytes
      }
      const result = work(item)
      // Its failure is seen when its turn comes.
      result.catch(() => undefined)
      begun.push({ item, bytes: more, result })
      bytes += more
    }
    for (let first = begun[0]; first !== undefined; first = begun[0]) {
      yield { item: first.item, result: await first.result }
      begun.shift()
    }
  } finally {
    await Promise.allSettled(begun.map(({ result }) => result))
  }
}
