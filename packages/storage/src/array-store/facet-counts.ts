import type { FileSummary } from '../parquet/own-metadata.ts'

const mostValues = 200

/** How many rows have which value, facet by facet. Lists are cut to the most frequent values when they are written. */
export class FacetCounts {
  readonly #facets: Map<string, Map<string, number>>
  readonly #cut: ReadonlySet<string>

  constructor(base: FileSummary['facets'] = {}) {
    this.#facets = new Map(Object.entries(base).map(([facet, counts]) => [facet, new Map(Object.entries(counts))]))
    this.#cut = new Set([...this.#facets].filter(([, counts]) => counts.size >= mostValues).map(([facet]) => facet))
  }

  /** False when the row that goes was not among those counted. */
  count(facet: string, value: string | null, by: number): boolean {
    if (value === null) return true
    let counts = this.#facets.get(facet)
    if (counts === undefined) {
      counts = new Map()
      this.#facets.set(facet, counts)
    }
    const before = counts.get(value)
    // A list that was cut does not tell how often a value it lacks has been there.
    if (before === undefined && this.#cut.has(facet)) return true
    const after = (before ?? 0) + by
    if (after > 0) counts.set(value, after)
    else counts.delete(value)
    return after >= 0
  }

  result(): FileSummary['facets'] {
    return Object.fromEntries([...this.#facets].map(([facet, counts]) => [facet, mostFrequent(counts)]))
  }
}

const mostFrequent = (counts: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, mostValues))
