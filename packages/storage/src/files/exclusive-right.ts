import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import * as z from 'zod'
import { systemCode } from '../errors.ts'
import { jsonOrNull } from '../json/json-or-null.ts'
import { link, unlink, writeNewFile } from './disk.ts'
import { isRunning, ownIdentity, type ProcessIdentity } from './process-identity.ts'
import { readText } from './read-text.ts'

/**
 * The right to deal with one particular content of a file that a dead process left: a file named after that content, created exclusively.
 * Who has won it looks at the content again: if that never comes back, nobody else changes it until the right, whose path is returned,
 * is removed. A right whose owner has died is followed by the next one; null while somebody has it.
 */
export const winRight = async (stem: string, beside: string, content: string, runs: Judge = isRunning): Promise<string | null> => {
  const own = JSON.stringify(await ownIdentity())
  for (let generation = 0; generation < 100; generation++) {
    const right = `${stem}-${digestOf(content)}-${generation}`
    if ((await createWhole(right, beside, own)) === 'made') return right
    if (await isRightHeld(right, runs)) return null
  }
  return null
}

export const digestOf = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex').slice(0, 32)

type Judge = (owner: ProcessIdentity, right: string) => Promise<boolean>

const Owner = z.object({ pid: z.number(), host: z.string(), started: z.string().nullable() })

/** A right that vanished has been used: whoever asks looks at the content again. */
export const isRightHeld = async (right: string, runs: Judge = isRunning): Promise<boolean> => {
  const text = await readText(right)
  if (text === null) return true
  const owner = Owner.safeParse(jsonOrNull(text))
  return owner.success ? runs(owner.data, right) : isFresh(right)
}

/** The file appears under its name with all its content, by way of the name `beside`, or not at all. */
export const createWhole = async (path: string, beside: string, text: string): Promise<'made' | 'taken' | 'no folder'> => {
  try {
    await writeNewFile(beside, text)
    await link(beside, path)
    return 'made'
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST') return 'taken'
    if (code === 'ENOENT') return 'no folder'
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code ?? '')) throw error
    return await createWithoutLinks(path, text)
  } finally {
    await unlinkIfThere(beside)
  }
}

const createWithoutLinks = async (path: string, text: string): Promise<'made' | 'taken'> => {
  try {
    await writeNewFile(path, text)
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return 'taken'
    throw error
  }
  // It had its name before its content: a rival may have taken it for what a dead process has left.
  return (await readText(path)) === text ? 'made' : 'taken'
}

const writingTakes = 10_000

/** A file without readable content is being written, or is what a power cut has left: its age tells. */
export const isFresh = async (path: string): Promise<boolean> => {
  try {
    return Date.now() - (await stat(path)).mtimeMs < writingTakes
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return true
    throw error
  }
}

export const unlinkIfThere = async (path: string): Promise<void> => {
  try {
    await unlink(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}
