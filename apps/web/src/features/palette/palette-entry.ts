import type { LucideIcon } from 'lucide-react'
import { matchRank, wordsOf } from '../../lib/match-words.ts'

export interface PaletteEntry {
  readonly id: string
  readonly label: string
  /** Beside the label, in grey; searched as well. */
  readonly detail?: string
  /** Searched, never shown. */
  readonly more?: string
  readonly icon: LucideIcon
  /** The keys that do the same without the palette. */
  readonly keys?: string
  /** It shows another page, so the reader's place is there afterwards and not where they were before. */
  readonly leaves?: boolean
  readonly run: () => void
}

export type GroupName = 'pages' | 'actions' | 'workspaces' | 'datasets' | 'search'

export interface PaletteGroup {
  readonly name: GroupName
  readonly items: readonly PaletteEntry[]
}

export interface FoundEntries {
  readonly groups: readonly PaletteGroup[]
  /** Entries that fit and are not listed, for there are too many. */
  readonly left: number
}

/** Entries of one group that are listed: of a workspace with hundreds of datasets nobody reads them all. */
const mostBefore = 8
const mostFound = 50

/** The entries that fit a search, the best of each group and the group with the best of all first; all in their order for no search. */
export const findEntries = (groups: readonly PaletteGroup[], query: string): FoundEntries => {
  const words = wordsOf(query)
  const ranked = groups.map(({ name, items }) => ({ name, items: rankedEntries(items, words) }))
  const full = ranked.filter(({ items }) => items.length > 0)
  const ordered = words.length === 0 ? full : full.toSorted((a, b) => bestOf(b.items) - bestOf(a.items))
  const most = words.length === 0 ? mostBefore : mostFound
  return {
    groups: ordered.map(({ name, items }) => ({ name, items: items.slice(0, most).map(({ entry }) => entry) })),
    left: full.reduce((sum, { items }) => sum + Math.max(0, items.length - most), 0),
  }
}

interface Ranked {
  readonly entry: PaletteEntry
  readonly rank: number
}

const bestOf = (items: readonly Ranked[]): number => items[0]?.rank ?? 0

const rankedEntries = (items: readonly PaletteEntry[], words: readonly string[]): readonly Ranked[] => {
  const found = items.flatMap((entry) => {
    const rank = matchRank(words, entry.label, `${entry.detail ?? ''} ${entry.more ?? ''}`)
    return rank === undefined ? [] : [{ entry, rank }]
  })
  return found.toSorted((a, b) => b.rank - a.rank)
}
