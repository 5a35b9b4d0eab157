import { isStorageError, StorageError } from '../errors.ts'
import { GroupFile } from '../parquet/group-file.ts'
import { type Checksums, readSummary } from '../parquet/own-metadata.ts'
import { checkPage, type GroupPages, groupPages, type PagePlace, type PageState } from '../parquet/page-checks.ts'
import { ParquetReader } from '../parquet/parquet-reader.ts'
import type { PinnedFile } from './pin-file.ts'
import { requireDecodable } from './require-decodable.ts'

/**
 * One version of an array file and what of it has been compared with its checksums. A row is served only from a row group that is as it was
 * written. Files without checksums, from other programs, pass unseen.
 */
export class CheckedFile {
  readonly #name: string
  readonly #datasets: readonly string[]
  readonly #groups: readonly GroupPages[]
  readonly #checksums: Checksums | null
  readonly #file: GroupFile
  readonly #sound = new Map<number, Promise<void>>()

  private constructor(name: string, file: GroupFile) {
    this.#name = name
    this.#file = file
    this.#checksums = file.checksums
    this.#groups = file.checksums === null ? [] : groupPages(file)
    this.#datasets = readSummary(file.footer)?.datasets.map((dataset) => dataset.name) ?? []
  }

  /** Compares the footer and the ids of all row groups: by them rows are found. The file stays open unless that fails. */
  static async open(name: string, pinned: PinnedFile): Promise<CheckedFile> {
    const opened = new CheckedFile(name, await GroupFile.from(pinned.handle, pinned.readPath, name))
    if (opened.#checksums !== null && opened.#checksums.row_groups.length !== opened.#groups.length)
      throw opened.#damaged('it has another number of row groups than when it was written')
    await opened.#compareIds(pinned)
    return opened
  }

  /** `arrays_corrupt` unless the row groups of these rows (counted from the start of the file) are as they were written. */
  async requireSound(pinned: PinnedFile, rows: Iterable<number>): Promise<void> {
    if (this.#checksums === null) return
    for (const group of new Set(Array.from(rows, (row) => this.#groupOf(row)))) await this.#soundGroup(pinned, group)
  }

  /** As `requireSound` for all rows: finds the row group that made a reader fail. */
  async requireAllSound(pinned: PinnedFile, signal?: AbortSignal): Promise<void> {
    for (const group of this.#groups.keys()) {
      signal?.throwIfAborted()
      await this.#soundGroup(pinned, group)
    }
  }

  /** `arrays_corrupt` unless a second reader can decode the row groups of other programs too: they have no checksums. */
  async requireDecodable(pinned: PinnedFile, signal?: AbortSignal): Promise<void> {
    await requireDecodable(this.#file, pinned.readPath, this.#name, { signal })
  }

  #soundGroup(pinned: PinnedFile, group: number): Promise<void> {
    const known = this.#sound.get(group)
    if (known !== undefined) return known
    const compared = this.#compare(pinned, group)
    this.#sound.set(group, compared)
    // Asked again, it is compared again: a disk may have failed for a moment.
    compared.catch(() => this.#sound.delete(group))
    return compared
  }

  #groupOf(row: number): number {
    let low = 0
    for (let high = this.#groups.length - 1; low < high; ) {
      const middle = (low + high + 1) >> 1
      if ((this.#groups[middle]?.firstRow ?? 0) <= row) low = middle
      else high = middle - 1
    }
    return low
  }

  /** A file without any page in our form is not decoded for its ids: only the row groups that are served are compared then. */
  async #compareIds(pinned: PinnedFile): Promise<void> {
    const ids = this.#groups.map(({ pages }) => pages.filter((page) => page.column === 'prediction_id'))
    const states: PageState[] = []
    for (const [group, pages] of ids.entries()) states.push(...(await this.#pageStates(pinned, group, pages)))
    if (!states.includes('sound')) return
    for (const [group, pages] of ids.entries()) if (states[group] === 'unknown') await this.#compareValues(pinned, group, pages)
  }

  async #compare(pinned: PinnedFile, group: number): Promise<void> {
    const pages = this.#groups[group]?.pages ?? []
    const states = await this.#pageStates(pinned, group, pages)
    if (states.includes('unknown')) await this.#compareValues(pinned, group, pages)
  }

  async #pageStates(pinned: PinnedFile, group: number, pages: readonly PagePlace[]): Promise<PageState[]> {
    const states = await Promise.all(pages.map((page) => checkPage(pinned.handle, page)))
    const changed = pages.filter((_, index) => states[index] === 'changed')
    if (changed.length > 0) throw this.#changed(group, changed)
    return states
  }

  /** The slow way, for pages in another form. Nobody has noted the values of row groups of another program. */
  async #compareValues(pinned: PinnedFile, group: number, pages: readonly PagePlace[]): Promise<void> {
    const noted = this.#checksums?.row_groups[group] ?? []
    if (noted.length === 0) return
    const reader = new ParquetReader()
    try {
      await reader.open(pinned.readPath)
      const found = (await reader.rowGroup(group, false)).checksums
      const expected = new Map(this.#checksums?.columns.map((column, index) => [column, noted[index]]))
      const changed = pages.filter(({ column }) => expected.has(column) && found.get(column) !== expected.get(column))
      if (changed.length > 0) throw this.#changed(group, changed)
      await reader.done()
    } catch (error) {
      throw isStorageError(error, 'arrays_corrupt') ? this.#changed(group, pages) : error
    } finally {
      await reader.close()
    }
  }

  #changed(group: number, pages: readonly PagePlace[]): StorageError {
    return this.#damaged(`row group ${group}: ${pages.map((page) => page.column).join(', ')} have changed since they were written`)
  }

  #damaged(how: string): StorageError {
    const datasets = this.#datasets.slice(0, 3).map((dataset) => JSON.stringify(dataset))
    const of = datasets.length === 0 ? '' : ` (dataset ${datasets.join(', ')}${this.#datasets.length > 3 ? ', …' : ''})`
    return new StorageError('arrays_corrupt', `${this.#name}${of} is damaged, ${how}. Nothing was read from there or changed.`, {
      path: this.#name,
      hint: 'Restore the file from a backup; `verify` lists every damaged file.',
    })
  }
}
