import { useSyncExternalStore } from 'react'
import { storedValue } from './stored-value.ts'

export const densities = ['compact', 'comfortable'] as const
export type Density = (typeof densities)[number]

/** Pixels per row of the grid. */
export const rowHeights: Record<Density, number> = { compact: 28, comfortable: 36 }

const density = storedValue<Density>('nirs.density', densities, () => 'compact')

export const useDensity = (): readonly [Density, (next: Density) => void] => [
  useSyncExternalStore(density.subscribe, density.get),
  density.set,
]
