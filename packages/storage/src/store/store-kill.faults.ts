import { execFile } from 'node:child_process'
import { cp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { temporaryFolder } from '../testing/make-store.ts'
import { faultScene, foldsOf } from './testing/store-fixture.ts'

const run = promisify(execFile)
const child = join(import.meta.dirname, 'testing', 'store-child.ts')
const Outcome = z.object({ operations: z.number(), error: z.string().nullable() })

const inChild = (job: string, root: string, mode: string, n: number) =>
  run(process.execPath, ['--no-warnings', child, job, root, mode, String(n)], { killSignal: 'SIGKILL' }).then(
    ({ stdout }) => Outcome.parse(JSON.parse(stdout)),
    () => null,
  )

/** Arrays that were taken back are marked as removed. Half of a lock that was never taken is swept once it is old enough to be nobody's. */
const leftIn = async (root: string): Promise<string[]> => {
  const names = await readdir(root, { recursive: true })
  return names.filter(
    (name) =>
      !/^(arrays|arrays\/(wheat\.parquet|_tombstones\.json)|store\.duckdb|\.nirs-workspace|\.nirs-workspace\/lock\.part-[^/]*)$/.test(name),
  )
}

test.each(['flush', 'vacuum'])(
  '%s: killed before every operation, and in the middle of every write, it is whole or has not been',
  async (job) => {
    await using scratch = await temporaryFolder()
    const original = join(scratch.path, 'original')
    await faultScene(original)
    const before = await foldsOf(original)
    const copyOf = async (name: string) => {
      const root = join(scratch.path, name)
      await rm(root, { recursive: true, force: true })
      await cp(original, root, { recursive: true, preserveTimestamps: true })
      return root
    }
    const done = await copyOf('done')
    const total = (await inChild(job, done, 'count', 0))?.operations ?? 0
    expect(total).toBeGreaterThan(5)
    const after = await foldsOf(done)
    for (const mode of ['kill', 'torn', 'EIO-sticky']) {
      for (let n = 1; n <= total; n++) {
        const root = await copyOf('killed')
        await inChild(job, root, mode, n)
        const about = `${job}: ${mode} before ${n} of ${total}`
        expect([before, after], about).toContainEqual(await foldsOf(root))
        expect(await leftIn(root), about).toEqual([])
      }
    }
    process.stdout.write(`${job}: ${total * 3} points\n`)
  },
)
