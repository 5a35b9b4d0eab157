import { cp, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DemoOptions, makeDemo } from '@nirs-workspace/demo'

export type Demo = 'small' | 'hundred-thousand'

const options: Record<Demo, Omit<DemoOptions, 'directory'>> = {
  small: { size: 'small' },
  // 10 000 trained predictions with arrays, the other rows are variations of their metadata.
  'hundred-thousand': { size: 'huge', rows: 100_000 },
}

/** Where `globalSetup` makes each demo once, and every test copies it from. */
export const originalOf = (demo: Demo): string => join(process.env.NIRS_E2E_DEMOS ?? join(tmpdir(), 'nirs-e2e-demos'), demo)

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/** Makes a demo unless it is there; an interrupted one is never taken for a whole one. */
export const makeOriginal = async (demo: Demo): Promise<void> => {
  const target = originalOf(demo)
  if (await exists(target)) return
  await mkdir(join(target, '..'), { recursive: true })
  const beside = await mkdtemp(join(target, '..', 'making-'))
  await makeDemo({ directory: beside, ...options[demo] })
  await rename(beside, target)
}

/** A private copy of a demo workspace. */
export const demoCopy = async (demo: Demo): Promise<{ path: string; remove: () => Promise<void> }> => {
  const folder = await mkdtemp(join(tmpdir(), 'nirs-e2e-'))
  const path = join(folder, 'workspace')
  await cp(originalOf(demo), path, { recursive: true })
  return { path, remove: () => rm(folder, { recursive: true, force: true }) }
}
