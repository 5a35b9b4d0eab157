import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { arraysOf, faultFixture, type Scratch } from '../testing/fault-oracle.ts'
import { readInterruption } from './read-interruption.ts'
import { recoverWorkspace } from './recover-workspace.ts'
import { runMigration } from './run-migration.ts'

const run = promisify(execFile)
const child = join(import.meta.dirname, '..', 'testing', 'fault-child.ts')
const Outcome = z.object({ operations: z.number(), error: z.string().nullable() })

let scratch: Scratch
let arrays: Record<string, string>
beforeAll(async () => {
  scratch = await faultFixture()
  arrays = await arraysOf(await scratch.copy('reference'))
})
afterAll(() => scratch[Symbol.asyncDispose]())

const inChild = (job: string, path: string, mode: string, n: number, milliseconds = 0) =>
  run(process.execPath, ['--no-warnings', child, job, path, mode, String(n)], {
    killSignal: 'SIGKILL',
    ...(milliseconds === 0 ? {} : { timeout: milliseconds }),
  }).then(
    ({ stdout }) => Outcome.parse(JSON.parse(stdout)),
    () => null,
  )

const expectRecovered = async (path: string, about: string) => {
  await recoverWorkspace(path)
  expect(await readInterruption(path), about).toBeNull()
  expect(await arraysOf(path), about).toEqual(arrays)
}

const operationsOf = async (job: string, prepare: (path: string) => Promise<unknown>) => {
  const path = await scratch.copy('counted')
  await prepare(path)
  return (await inChild(job, path, 'count', 0))?.operations ?? 0
}

const migrated = (path: string) => runMigration(path, { jobId: 'before' })

test.each(['kill', 'torn', 'ENOSPC', 'EIO', 'EFBIG', 'ENOSPC-sticky', 'EIO-sticky'])('migrate: %s at every operation', async (mode) => {
  const total = await operationsOf('migrate', async () => undefined)
  for (let n = 1; n <= total; n++) {
    const path = await scratch.copy('faulty')
    await inChild('migrate', path, mode, n)
    await expectRecovered(path, `${mode} at ${n} of ${total}`)
    const again = await runMigration(path, { jobId: 'again' }).catch((error: unknown) => error)
    if (again instanceof Error) expect(again).toMatchObject({ code: 'not_migratable' })
    expect(await arraysOf(path)).toEqual(arrays)
  }
})

test.each(['kill', 'torn', 'ENOSPC', 'EIO-sticky'])('rollback: %s at every operation', async (mode) => {
  const total = await operationsOf('rollback', migrated)
  for (let n = 1; n <= total; n++) {
    const path = await scratch.copy('faulty')
    await migrated(path)
    await inChild('rollback', path, mode, n)
    await expectRecovered(path, `${mode} at ${n} of ${total}`)
  }
})

test('SIGKILL at any time, inside what DuckDB writes too', async () => {
  for (let round = 0; round < 100; round++) {
    const path = await scratch.copy('random')
    const milliseconds = 150 + Math.floor(Math.random() * 1500)
    await inChild('migrate', path, 'count', 0, milliseconds)
    await expectRecovered(path, `after ${milliseconds} ms`)
  }
})
