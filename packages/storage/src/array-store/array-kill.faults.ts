import { cp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runFaulty } from '../testing/fault-scene.ts'
import { faultJobs, faultWorkspace, liesBetween, stateOf } from './testing/fault-jobs.ts'

const child = join(import.meta.dirname, 'testing', 'fault-array-child.ts')
const modes = ['kill', 'torn', 'ENOSPC', 'EIO-sticky'] as const

test.each(Object.keys(faultJobs))(
  '%s: killed before every operation, in the middle of every write, on a full and on a failing disk',
  async (job) => {
    await using scratch = await faultWorkspace()
    const original = join(scratch.path, 'original')
    const before = await stateOf(original)
    const copyOf = async (name: string) => {
      const root = join(scratch.path, name)
      await rm(root, { recursive: true, force: true })
      await cp(original, root, { recursive: true, preserveTimestamps: true })
      return root
    }
    const done = await copyOf('done')
    const total = (await runFaulty(child, job, done, 'count', 0))?.operations ?? 0
    const after = await stateOf(done)
    for (const mode of modes) {
      for (let n = 1; n <= total; n++) {
        const root = await copyOf('faulty')
        await runFaulty(child, job, root, mode, n)
        expect(liesBetween(await stateOf(root), before, after), `${job}: ${mode} before ${n} of ${total}`).toBe(true)
        await faultJobs[job]?.(root)
        expect(await stateOf(root), `${job}: again after ${mode} before ${n}`).toEqual(after)
        // A lock that was torn while it was written is nobody's as long as it is fresh.
        expect((await readdir(join(root, '.nirs-workspace')).catch(() => [])).filter((name) => !name.startsWith('lock.'))).toEqual([])
        const left = (await readdir(join(root, 'arrays'))).filter((name) => !/^[a-z_]+\.parquet$|^_tombstones\.json$/.test(name))
        expect(left, `${job}: after ${mode} before ${n}`).toEqual([])
      }
    }
    process.stdout.write(`${job}: ${total * modes.length} fault points\n`)
  },
)
