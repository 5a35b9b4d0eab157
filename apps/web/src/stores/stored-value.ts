/** A choice kept in the browser between visits and shared by all components; private windows without storage keep it for the visit. */
export interface StoredValue<T extends string> {
  readonly get: () => T
  readonly set: (value: T) => void
  readonly subscribe: (listener: () => void) => () => void
}

export const storedValue = <T extends string>(key: string, options: readonly T[], initial: () => T): StoredValue<T> => {
  const listeners = new Set<() => void>()
  const read = (): T => options.find((option) => option === readStorage(key)) ?? initial()
  let value = read()
  return {
    get: () => value,
    set: (next) => {
      value = next
      writeStorage(key, next)
      for (const listener of listeners) listener()
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

const readStorage = (key: string): string | null => {
  try {
    return localStorage.getItem(key)
  } catch (error) {
    if (error instanceof DOMException) return null
    throw error
  }
}

const writeStorage = (key: string, value: string): void => {
  try {
    localStorage.setItem(key, value)
  } catch (error) {
    // Storage that is full or forbidden costs the memory of a choice, nothing else.
    if (!(error instanceof DOMException)) throw error
  }
}
