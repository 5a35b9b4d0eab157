import { resolve } from 'node:path'
import { type DatasetResolution, DatasetSource } from '@nirs-workspace/types'
import * as z from 'zod'
import { checkGiven, parseGiven } from '../options/check-options.ts'
import { maybeCount, maybeSome, maybeTexts, optionsOf, signal, text } from '../options/option-schemas.ts'
import { compareContent, type Expectation, expectationOf, saysContent } from './compare-content.ts'
import { createFileHasher } from './file-hasher.ts'
import { HashCache } from './hash-cache.ts'
import { type FileIndex, indexFiles } from './index-files.ts'
import { isInside, lookAtPath } from './look-at-path.ts'
import { mapBounded } from './map-bounded.ts'
import { type Search, type SearchContext, searchElsewhere } from './search-elsewhere.ts'

export interface ResolveOptions {
  /** Folders to search; relative paths start at the first. */
  roots: readonly string[]
  /** Keep it between calls, so that unchanged files are not read again. */
  cache?: HashCache | undefined
  /** Files open, and datasets at work, at a time. Default 8: enough to keep a disk busy. */
  concurrency?: number | undefined
  /** `quick` takes a recorded path, or a name below the roots, as right when size or quick hash agree. Default `full`. */
  depth?: 'quick' | 'full' | undefined
  /** Files to index at most, in case a root is a whole disk. Default 200 000. */
  maxFiles?: number | undefined
  /** When set, a recorded path outside these folders counts as missing and is not looked at. */
  confineTo?: readonly string[] | undefined
  signal?: AbortSignal | undefined
}

export type DatasetSourceInput = z.input<typeof DatasetSource>

/**
 * Finds the files of datasets: at the recorded path, where their name leads below the roots, by size, by quick hash, by full hash. One
 * answer per dataset, in order. Reads only; opens regular files only. Throws on abort and on malformed input, nothing else.
 */
export const resolveDatasets = async (inputs: readonly DatasetSourceInput[], options: ResolveOptions): Promise<DatasetResolution[]> => {
  const sources = parseGiven(z.array(DatasetSource), inputs, {
    name: 'the datasets',
    hint: 'Correct the value and try again.',
    untouched: 'Nothing was read.',
  })
  checkGiven(Options, options)
  const { signal, concurrency = 8, roots } = options
  signal?.throwIfAborted()
  let index: Promise<FileIndex> | undefined
  const context: SearchContext = {
    roots,
    concurrency,
    depth: options.depth ?? 'full',
    signal,
    hasher: createFileHasher(options.cache ?? new HashCache(), concurrency, signal),
    index: () => {
      index ??= indexFiles(roots, { concurrency, maxFiles: options.maxFiles ?? 200_000, signal })
      return index
    },
  }
  return mapBounded(sources, concurrency, (source) => resolveOne(source, context, options.confineTo))
}

const resolveOne = async (
  source: DatasetSource,
  context: SearchContext,
  confineTo: readonly string[] | undefined,
): Promise<DatasetResolution> => {
  context.signal?.throwIfAborted()
  const expected = expectationOf(source)
  const unusable = source.hash !== null && expected.full === null ? 'The recorded hash is not a SHA-256 and was not compared.' : null
  const original = await lookAtOriginal(source, expected, context, confineTo)
  if (original.is === 'valid') return { ...blank(source), ...original.answer, detail: unusable }
  if (isUnknown(source, expected)) return { ...blank(source), detail: 'Nothing is recorded about its file.' }
  const search = await searchElsewhere(source, expected, context)
  const answer = combine(source, original, search)
  return {
    ...answer,
    detail: [answer.detail, unusable, search.gap === undefined ? null : `${search.gap}.`].filter(Boolean).join(' ') || null,
  }
}

type Original =
  | { is: 'valid'; answer: Pick<DatasetResolution, 'status' | 'path' | 'kind' | 'found_by' | 'verified_by'> }
  | { is: 'absent' }
  | { is: 'other'; path: string; kind: 'file' | 'folder'; detail: string }
  | { is: 'unreadable'; path: string; reason: string }

const lookAtOriginal = async (
  { path }: DatasetSource,
  expected: Expectation,
  context: SearchContext,
  confineTo: readonly string[] | undefined,
): Promise<Original> => {
  if (path === null || path === '') return { is: 'absent' }
  const full = resolve(context.roots[0] ?? '', path)
  const look = await lookAtPath(full)
  if (look.kind === 'absent') return { is: 'absent' }
  if (confineTo !== undefined && !(await isInside(look.path, confineTo))) return { is: 'absent' }
  if (look.kind === 'unreadable') return { is: 'unreadable', path: full, reason: look.reason }
  const answer = { status: 'valid', path: full, kind: look.kind, found_by: 'original_path' } as const
  if (look.kind === 'folder') {
    if (saysContent(expected)) return { is: 'other', path: full, kind: 'folder', detail: 'A folder is at the recorded path.' }
    return { is: 'valid', answer: { ...answer, verified_by: 'existence' } }
  }
  const verdict = await compareContent(look, expected, context.hasher, context.depth)
  if (verdict.is === 'same') return { is: 'valid', answer: { ...answer, verified_by: verdict.by } }
  if (verdict.is === 'unreadable') return { is: 'unreadable', path: full, reason: verdict.reason }
  return { is: 'other', path: full, kind: 'file', detail: `Another file is at the recorded path: ${verdict.reason}.` }
}

const isUnknown = ({ path }: DatasetSource, expected: Expectation): boolean => (path === null || path === '') && !saysContent(expected)

const combine = (
  source: DatasetSource,
  original: Exclude<Original, { is: 'valid' }>,
  { found, possible, gap }: Search,
): DatasetResolution => {
  const base = { ...blank(source), possible, search_complete: gap === undefined }
  if (original.is === 'other') {
    const here = { status: 'hash_mismatch', path: original.path, kind: original.kind, found_by: 'original_path' } as const
    return { ...base, ...here, alternative_path: found?.path ?? null, detail: original.detail }
  }
  if (found !== undefined) return { ...base, ...found }
  if (original.is === 'absent') return base
  return { ...base, status: 'unreadable', path: original.path, detail: `The recorded path cannot be examined: ${original.reason}.` }
}

const blank = ({ name }: DatasetSource): DatasetResolution => ({
  name,
  status: 'missing',
  path: null,
  kind: null,
  found_by: null,
  verified_by: null,
  also_at: [],
  alternative_path: null,
  possible: [],
  search_complete: true,
  detail: null,
})

const Options = optionsOf<ResolveOptions>({
  roots: z.array(text),
  cache: z.instanceof(HashCache).optional(),
  concurrency: maybeSome,
  depth: z.enum(['quick', 'full']).optional(),
  maxFiles: maybeCount,
  confineTo: maybeTexts,
  signal,
})
