import type { DatasetResolution, DatasetSource } from '@nirs-workspace/types'
import { systemCode } from '../errors.ts'
import type { FileHasher } from './file-hasher.ts'
import type { FileLook } from './hash-cache.ts'

/** What is known of the content to look for; all three may be unknown. */
export interface Expectation {
  size: number | null
  quick: string | null
  full: string | null
}

export type Verdict =
  | { is: 'same'; by: NonNullable<DatasetResolution['verified_by']> }
  | { is: 'other'; reason: string }
  | { is: 'unreadable'; reason: string }

export const expectationOf = ({ hash, file_size, quick_hash }: DatasetSource): Expectation => ({
  size: file_size,
  quick: /^[0-9a-f]{16}$/i.test(quick_hash ?? '') ? (quick_hash ?? '').toLowerCase() : null,
  full: /^(?:sha256:)?([0-9a-f]{64})$/i.exec(hash ?? '')?.[1]?.toLowerCase() ?? null,
})

/** Whether anything is known that a content could be compared with. */
export const saysContent = ({ size, quick, full }: Expectation): boolean => size !== null || quick !== null || full !== null

/** Compares the cheap things first and goes as far as something is recorded; with `depth` quick, never through the whole file. */
export const compareContent = async (
  file: FileLook,
  expected: Expectation,
  hasher: FileHasher,
  depth: 'quick' | 'full',
): Promise<Verdict> => {
  const { size, quick, full } = expected
  if (size !== null && size !== file.size) return { is: 'other', reason: `it has ${file.size} bytes, not ${size}` }
  try {
    if (quick !== null && (await hasher(file, 'quick')) !== quick) return { is: 'other', reason: 'its head or tail differs' }
    if (full === null || (depth === 'quick' && (quick !== null || size !== null))) return { is: 'same', by: weakest(expected) }
    return (await hasher(file, 'full')) === full ? { is: 'same', by: 'full_hash' } : { is: 'other', reason: 'its SHA-256 differs' }
  } catch (error) {
    // An abort has a reason of its own kind; only what comes from the file is a verdict on the file.
    const code = systemCode(error)
    if (!(error instanceof Error) || !('syscall' in error)) throw error
    return { is: 'unreadable', reason: code === 'EBUSY' ? 'it changes while it is read' : `the system says ${code ?? 'nothing'}` }
  }
}

const weakest = ({ size, quick }: Expectation) => {
  if (quick !== null) return 'quick_hash'
  return size === null ? 'existence' : 'size'
}
