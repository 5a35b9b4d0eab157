import { cp, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeDemo } from '@nirs-workspace/demo'

type DemoSize = Parameters<typeof makeDemo>[0]['size']

const kept = join(tmpdir(), `nirs-e2e-demos-${process.getuid?.() ?? 0}`)
const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )

/** A private copy of a demo workspace; each size is made once per machine and kept in the temporary folder. */
export const demoCopy = async (size: DemoSize): Promise<{ path: string; remove: () => Promise<void> }> => {
  const original = join(kept, `${size}-3`)
  if (!(await exists(original))) await makeOnce(original, size)
  const folder = await mkdtemp(join(tmpdir(), 'nirs-e2e-'))
  const path = join(folder, 'workspace')
  await cp(original, path, { recursive: true })
  return { path, remove: () => rm(folder, { recursive: true, force: true }) }
}

// Two workers may get here together: whoever finishes first wins, the other's copy is dropped.
const makeOnce = async (target: string, size: DemoSize): Promise<void> => {
  await mkdir(kept, { recursive: true })
  const beside = await mkdtemp(join(kept, 'making-'))
  await makeDemo({ directory: beside, size })
  await rename(beside, target).catch(async (error: unknown) => {
    await rm(beside, { recursive: true, force: true })
    if (!(await exists(target))) throw error
  })
}
