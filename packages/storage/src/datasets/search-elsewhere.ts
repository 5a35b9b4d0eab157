import { extname } from 'node:path'
import type { DatasetResolution, DatasetSource } from '@nirs-workspace/types'
import { compareContent, type Expectation, saysContent } from './compare-content.ts'
import type { FileHasher } from './file-hasher.ts'
import type { FileLook } from './hash-cache.ts'
import type { FileIndex } from './index-files.ts'
import { isInside, lookAtPath } from './look-at-path.ts'
import { mapBounded } from './map-bounded.ts'
import { pathSegments, relocatedPaths } from './original-names.ts'

export interface SearchContext {
  readonly roots: readonly string[]
  readonly concurrency: number
  readonly depth: 'quick' | 'full'
  readonly hasher: FileHasher
  readonly signal: AbortSignal | undefined
  /** Walks the roots when first asked. */
  index(): Promise<FileIndex>
}

/** What was found away from the recorded path. */
export type Found = Pick<DatasetResolution, 'kind' | 'found_by' | 'verified_by' | 'also_at'> & {
  status: 'relocated' | 'found_by_hash'
  path: string
}

interface Match {
  found: Found | undefined
  possible: string[]
}

export interface Search extends Match {
  /** Why part of the roots was not searched. */
  gap: string | undefined
}

/** Name first, as that costs nothing; then size, quick hash and full hash over everything below the roots. */
export const searchElsewhere = async (source: DatasetSource, expected: Expectation, context: SearchContext): Promise<Search> => {
  const relocated = await findRelocated(source, expected, context)
  if (relocated !== undefined) return { found: relocated, possible: [], gap: undefined }
  const index = await context.index()
  const search = hasHash(expected) ? await findByHash(source, expected, context, index) : findByName(source, expected, index)
  return { ...search, gap: index.gap }
}

const hasHash = ({ quick, full }: Expectation): boolean => quick !== null || full !== null

const findRelocated = async ({ path }: DatasetSource, expected: Expectation, context: SearchContext): Promise<Found | undefined> => {
  if (path === null) return undefined
  for (const candidate of relocatedPaths(path, context.roots)) {
    context.signal?.throwIfAborted()
    const look = await lookAtPath(candidate)
    if (look.kind === 'absent' || look.kind === 'unreadable' || !(await isInside(look.path, context.roots))) continue
    const place = { status: 'relocated', path: look.path, kind: look.kind, found_by: 'relative_path' } as const
    if (look.kind === 'folder' && !saysContent(expected)) return { ...place, also_at: [], verified_by: 'existence' }
    const verdict = look.kind === 'file' ? await compareContent(look, expected, context.hasher, context.depth) : undefined
    if (verdict?.is === 'same') return { ...place, also_at: [], verified_by: verdict.by }
  }
  return undefined
}

const findByHash = async (source: DatasetSource, expected: Expectation, context: SearchContext, index: FileIndex): Promise<Match> => {
  const candidates = inOrder(source, candidatesFor(source, expected, index))
  const verdicts = await mapBounded(candidates, context.concurrency, async (file) => ({
    file,
    verdict: await compareContent(file, expected, context.hasher, 'full'),
  }))
  const same = verdicts.filter(({ verdict }) => verdict.is === 'same').map(({ file }) => file.path)
  const [path, ...also_at] = same
  const by = expected.full === null ? 'quick_hash' : 'full_hash'
  if (path !== undefined) {
    const found: Found = { status: 'found_by_hash', path, kind: 'file', found_by: by, verified_by: by, also_at }
    return { found, possible: [] }
  }
  return { found: undefined, possible: verdicts.filter(({ verdict }) => verdict.is === 'unreadable').map(({ file }) => file.path) }
}

/** Without a hash a name and a size are taken as they are when one file has both; a size alone, or several files, prove nothing. */
const findByName = (source: DatasetSource, expected: Expectation, index: FileIndex): Match => {
  const sameSize = expected.size === null ? undefined : (index.bySize.get(expected.size) ?? [])
  const sameName = sharingName(source, sameSize ?? index.byName.get(nameOf(source) ?? '') ?? [])
  const [only, second] = sameName
  if (only === undefined || second !== undefined) {
    return { found: undefined, possible: inOrder(source, sameName.length > 0 ? sameName : (sameSize ?? [])).map(({ path }) => path) }
  }
  const [found_by, verified_by] = expected.size === null ? (['name', 'existence'] as const) : (['size', 'size'] as const)
  const found: Found = { status: 'relocated', path: only.path, kind: 'file', found_by, verified_by, also_at: [] }
  return { found, possible: [] }
}

// Without a size every file of the same kind is a candidate, as hashing all others would take hours.
const candidatesFor = (source: DatasetSource, { size }: Expectation, index: FileIndex): readonly FileLook[] => {
  if (size !== null) return index.bySize.get(size) ?? []
  const extension = extname(nameOf(source) ?? '').toLowerCase()
  return nameOf(source) === undefined ? index.files : index.files.filter(({ path }) => extname(path).toLowerCase() === extension)
}

const nameOf = ({ path }: DatasetSource): string | undefined => (path === null ? undefined : pathSegments(path).at(-1))

const sharingName = (source: DatasetSource, files: readonly FileLook[]): FileLook[] => {
  const name = nameOf(source)
  return files.filter(({ path }) => name !== undefined && pathSegments(path).at(-1) === name)
}

/** Same name first, then the shallowest, then by path: the same answer however the disk lists its files. */
const inOrder = (source: DatasetSource, files: readonly FileLook[]): FileLook[] => {
  const named = new Set(sharingName(source, files))
  const depth = ({ path }: FileLook) => pathSegments(path).length
  return files.toSorted(
    (left, right) => Number(named.has(right)) - Number(named.has(left)) || depth(left) - depth(right) || (left.path < right.path ? -1 : 1),
  )
}
