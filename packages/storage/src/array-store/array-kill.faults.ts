import { execFile } from 'node:child_process'
import { cp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { faultJobs, faultWorkspace, liesBetween, stateOf } from './testing/fault-jobs.ts'

const run = promisify(execFile)
const child = join(import.meta.dirname, 'testing', 'fault-array-child.ts')
const Outcome = z.object({ operations: z.number(), error: z.string().nullable() })

const inChild = (job: string, root: string, mode: string, n: number) =>
  run(process.execPath, ['--no-warnings', child, job, root, mode, String(n)], { killSignal: 'SIGKILL' }).then(
    ({ stdout }) => Outcome.parse(JSON.parse(stdout)),
    () => null,
  )

test.each(Object.keys(faultJobs))('%s: killed before every operation, and in the middle of every write', async (job) => {
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
  const total = (await inChild(job, done, 'count', 0))?.operations ?? 0
  const after = await stateOf(done)
  for (const mode of ['kill', 'torn', 'EIO-sticky']) {
    for (let n = 1; n <= total; n++) {
      const root = await copyOf('faulty')
      await inChild(job, root, mode, n)
      expect(liesBetween(await stateOf(root), before, after), `${job}: ${mode} before ${n} of ${total}`).toBe(true)
      await faultJobs[job]?.(root)
      expect(await stateOf(root), `${job}: again after ${mode} before ${n}`).toEqual(after)
      // A lock that was torn while it was written is nobody's as long as it is fresh.
      expect((await readdir(join(root, '.nirs-workspace')).catch(() => [])).filter((name) => !name.startsWith('lock.'))).toEqual([])
      const left = (await readdir(join(root, 'arrays'))).filter((name) => !/^[a-z_]+\.parquet$|^_tombstones\.json$/.test(name))
      expect(left, `${job}: after ${mode} before ${n}`).toEqual([])
    }
  }
  process.stdout.write(`${job}: ${total * 3} points\n`)
})
