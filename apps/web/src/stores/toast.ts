import { useSyncExternalStore } from 'react'

export interface Toast {
  readonly id: number
  readonly tone: 'success' | 'danger' | 'warning' | 'info'
  readonly message: string
}

let toasts: readonly Toast[] = []
let lastId = 0
const listeners = new Set<() => void>()

const publish = (next: readonly Toast[]): void => {
  toasts = next
  for (const listener of listeners) listener()
}

/** Failures and warnings stay until they are dismissed; good news leaves after six seconds. */
export const showToast = (tone: Toast['tone'], message: string): void => {
  lastId += 1
  const id = lastId
  publish([...toasts, { id, tone, message }])
  if (tone !== 'danger' && tone !== 'warning') setTimeout(() => dismissToast(id), 6000)
}

export const dismissToast = (id: number): void => publish(toasts.filter((toast) => toast.id !== id))

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const useToasts = (): readonly Toast[] => useSyncExternalStore(subscribe, () => toasts)
