import type { FileSummary } from '../parquet/own-metadata.ts'
import type { RecordContext } from './array-record.ts'
import { FacetCounts } from './facet-counts.ts'

const contextFacets = ['branch_name', 'refit_context'] as const

/** What of a summary only the metadata can tell. */
export type ContextSummary = Pick<FileSummary, 'facets' | 'created_at' | 'context_exact'>

/** Keeps what the metadata says of the rows of a file while they come and go. Exact until a row comes or goes of which nobody says it. */
export class ContextCounts {
  readonly #facets: FacetCounts
  #first: string | null
  #last: string | null
  #isExact: boolean

  constructor(base: ContextSummary | null = null) {
    this.#facets = new FacetCounts(Object.fromEntries(contextFacets.map((facet) => [facet, base?.facets[facet] ?? {}])))
    this.#first = base?.created_at.first ?? null
    this.#last = base?.created_at.last ?? null
    this.#isExact = base?.context_exact ?? true
  }

  get isExact(): boolean {
    return this.#isExact
  }

  add(context: RecordContext | undefined): void {
    this.#isExact &&= context !== undefined
    this.#count(context, 1)
    this.#dated(context?.created_at ?? null)
  }

  /** A row takes the place of another. When nobody says what that one was, the new one counts as it did. */
  replace(before: RecordContext | undefined, context: RecordContext | undefined): void {
    if (before === undefined) {
      this.#isExact = false
      this.#dated(context?.created_at ?? null)
      return
    }
    this.add(context)
    this.remove(before)
  }

  /** What nobody tells of the row stays counted. */
  remove(context: RecordContext | undefined): void {
    const created = context?.created_at ?? null
    // Which row is the first or last now, only all of them tell.
    const isWithin = created === null || (created > (this.#first ?? '') && created < (this.#last ?? ''))
    this.#isExact &&= context !== undefined && isWithin
    this.#isExact = this.#count(context, -1) && this.#isExact
  }

  merge(other: ContextSummary): void {
    for (const facet of contextFacets)
      for (const [value, rows] of Object.entries(other.facets[facet] ?? {})) this.#facets.count(facet, value, rows)
    this.#dated(other.created_at.first)
    this.#dated(other.created_at.last)
    this.#isExact &&= other.context_exact
  }

  result(): ContextSummary {
    return {
      facets: this.#facets.result(),
      created_at: { first: this.#first, last: this.#last },
      context_exact: this.#isExact,
    }
  }

  /** False when a row goes that was not counted. */
  #count(context: RecordContext | undefined, by: 1 | -1): boolean {
    return contextFacets.map((facet) => this.#facets.count(facet, context?.[facet] ?? null, by)).every(Boolean)
  }

  #dated(created: string | null): void {
    if (created === null) return
    this.#first = this.#first === null || created < this.#first ? created : this.#first
    this.#last = this.#last === null || created > this.#last ? created : this.#last
  }
}
