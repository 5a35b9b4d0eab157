import { mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { escapeGlob } from '../../arrays/pin-file.ts'
import { quotedString } from '../../engine/attach-store.ts'
import { withEngine } from '../../engine/open-engine.ts'
import { setFaultHook } from '../../files/fault-point.ts'
import { type Footer, readFooter } from '../../parquet/footer.ts'
import { readChecksums, segmentsOf } from '../../parquet/own-metadata.ts'
import { faultHook } from '../../testing/fault-hooks.ts'
import { forgetLock } from '../../testing/fault-oracle.ts'
import type { ArrayRecord } from '../array-record.ts'
import { ArrayStore } from '../array-store.ts'
import { flipBit } from './flip-bits.ts'
import { type State, stateOf } from './model-state.ts'

/**
 * Does the work, but nothing reaches the disk from its n-th operation on, as when the program dies there. Every row must be as before or
 * as after; then the work is done again.
 */
export const crashAndRepeat = async (
  root: string,
  at: number,
  work: (store: ArrayStore) => Promise<unknown>,
  after: State,
): Promise<void> => {
  const before = await stateOf(ArrayStore.open(root))
  setFaultHook(faultHook('stop', at).hook)
  try {
    await work(ArrayStore.open(root))
  } catch (error) {
    if (!(error instanceof Error && /injected|write_failed|could not be/i.test(`${Reflect.get(error, 'code')} ${error.message}`)))
      throw error
  } finally {
    setFaultHook(undefined)
  }
  await forgetLock(root)
  const found = await stateOf(ArrayStore.open(root))
  for (const key of new Set([...Object.keys(found), ...Object.keys(before), ...Object.keys(after)])) {
    if (isDeepStrictEqual(found[key], before[key]) || isDeepStrictEqual(found[key], after[key])) continue
    throw new Error(`After a stop at operation ${at}, ${key} is ${JSON.stringify(found[key])}.`)
  }
  await work(ArrayStore.open(root))
}

/**
 * Flips a bit somewhere before the footer of a file: the deep check must name the file and no read may serve other values. Then flips it
 * back. What another program has written is left alone: nobody has noted what its bytes were.
 */
export const corruptAndMend = async (root: string, which: number, place: number, bit: number): Promise<void> => {
  const path = await anyFile(root, which)
  if (path === null) return
  const store = ArrayStore.open(root)
  const before = await stateOf(store)
  const footer = await readFooter(path)
  const byte = 4 + Math.floor(place * (footer.start - 4))
  if (!isNoted(footer, byte)) return
  await flipBit(path, byte, bit)
  try {
    const { corrupt } = await store.integrityCheck({ deep: true })
    if (corrupt.length !== 1)
      throw new Error(`Bit ${bit} of byte ${byte} of ${path} was changed; the check names ${JSON.stringify(corrupt)}.`)
    const served = await stateOf(store).catch(() => before)
    if (!isDeepStrictEqual(served, before))
      throw new Error(`Bit ${bit} of byte ${byte} of ${path} was changed, and other values were read.`)
  } finally {
    await flipBit(path, byte, bit)
  }
}

const isNoted = (footer: Footer, byte: number): boolean => {
  let end = 0
  for (const segment of segmentsOf(readChecksums(footer), footer.start)) {
    end += segment.bytes
    if (byte < end) return segment.sha256 !== null
  }
  return false
}

/** Another program writes a file anew, in its own form and without our checksums, with the same rows. */
export const rewriteByAnother = async (root: string, which: number): Promise<void> => {
  const path = await anyFile(root, which)
  if (path === null) return
  const written = join(root, 'written-by-another.parquet')
  await withEngine({}, (engine) =>
    engine.run(
      `COPY (FROM read_parquet(${quotedString(escapeGlob(path))}, hive_partitioning = false)) TO ${quotedString(written)} (FORMAT parquet, COMPRESSION zstd)`,
    ),
  )
  await rename(written, path)
}

/** Takes over all files of another store that holds these rows. */
export const mergeOther = async (store: ArrayStore, records: readonly ArrayRecord[]): Promise<void> => {
  const other = await mkdtemp(join(tmpdir(), 'nirs-array-other-'))
  try {
    await ArrayStore.open(other).saveBatch(records)
    for (const path of await filesIn(other)) await store.appendFile(path)
  } finally {
    await rm(other, { recursive: true, force: true })
  }
}

const filesIn = async (root: string): Promise<string[]> => {
  const names = await readdir(join(root, 'arrays')).catch(() => [])
  return names
    .filter((name) => name.endsWith('.parquet'))
    .sort()
    .map((name) => join(root, 'arrays', name))
}

const anyFile = async (root: string, which: number): Promise<string | null> => {
  const files = await filesIn(root)
  return files[which % Math.max(1, files.length)] ?? null
}
