import type { FileLook, HashCache, HashKind } from './hash-cache.ts'

export type FileHasher = (file: FileLook, kind: HashKind) => Promise<string>

/** Hashes through a cache, at most `limit` files open at a time, and each file once however many ask for it meanwhile. */
export const createFileHasher = (cache: HashCache, limit: number, signal: AbortSignal | undefined): FileHasher => {
  const underWay = new Map<string, Promise<string>>()
  const gate = createGate(limit)
  return (file, kind) => {
    const key = `${kind} ${file.version} ${file.path}`
    const running = underWay.get(key)
    if (running !== undefined) return running
    const hashing = gate(() => cache.hashOf(file, kind, signal)).finally(() => underWay.delete(key))
    underWay.set(key, hashing)
    return hashing
  }
}

const createGate = (limit: number) => {
  const waiting: (() => void)[] = []
  let open = limit
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (open > 0) open -= 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) open += 1
      else next()
    }
  }
}
