import { copyFile, link, lstat, mkdir, readdir, rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { recoverWorkspace } from '../migration/recover-workspace.ts'
import type { FaultMode } from './fault-hooks.ts'
import { forgetLock } from './fault-oracle.ts'
import { type FaultScene, withFault } from './fault-scene.ts'

/** A job that is stopped before operation n, once: every call recovers a copy of what it has left, with another fault in the recovery. */
export const stoppedOnce = async (scene: FaultScene, n: number) => {
  const left = await scene.copy('stopped-once')
  await withFault('stop', n, () => scene.run(left))
  await forgetLock(left)
  return async (mode: FaultMode, again: number) => {
    const path = join(left, '..', 'twice')
    await copyLinked(left, path)
    return { path, ...(await withFault(mode, again, () => recoverWorkspace(path))) }
  }
}

/** A copy in which two names of one file are two names of one file: that is how a recovery tells how far a job has come. */
const copyLinked = async (from: string, to: string): Promise<void> => {
  await rm(to, { recursive: true, force: true })
  await mkdir(to)
  const copied = new Map<bigint, string>()
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    const source = join(entry.parentPath, entry.name)
    const target = to + source.slice(from.length)
    if (entry.isDirectory()) {
      await mkdir(target, { recursive: true })
      continue
    }
    const { ino, atime, mtime } = await lstat(source, { bigint: true })
    const twin = copied.get(ino)
    await mkdir(join(target, '..'), { recursive: true })
    if (twin !== undefined) await link(twin, target)
    else {
      await copyFile(source, target)
      await utimes(target, atime, mtime)
      copied.set(ino, target)
    }
  }
}
