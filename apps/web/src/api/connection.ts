import { useSyncExternalStore } from 'react'
import { apiUrl } from './client.ts'

/**
 * starting: no live connection yet · live: events arrive · asking: the server answers but events do not arrive, so pages ask by
 * themselves · offline: the server does not answer at all.
 */
export type Connection = 'starting' | 'live' | 'asking' | 'offline'

let connection: Connection = 'starting'
const listeners = new Set<() => void>()

export const setConnection = (next: Connection): void => {
  if (next === connection) return
  connection = next
  for (const listener of listeners) listener()
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const getConnection = (): Connection => connection
export const useConnection = (): Connection => useSyncExternalStore(subscribe, getConnection)

/** Longer than any answer of a healthy server on this machine, in milliseconds. */
const patience = 4000

/** Whether the server answers, asked without a token. */
export const serverAnswers = async (): Promise<boolean> => {
  try {
    return (await fetch(apiUrl('/health'), { cache: 'no-store', signal: AbortSignal.timeout(patience) })).ok
  } catch (error) {
    // A refused connection is a TypeError, no answer in time a DOMException: both are the answer to the question.
    if (error instanceof TypeError || error instanceof DOMException) return false
    throw error
  }
}
