import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { recoverWorkspace } from '../migration/recover-workspace.ts'
import type { Scratch } from '../testing/fault-oracle.ts'
import { leftoversIn, mergeBeside, mergeFixture, stateOf } from './testing/merge-faults.ts'

const run = promisify(execFile)
const child = join(import.meta.dirname, '..', 'testing', 'fault-child.ts')
const Outcome = z.object({ operations: z.number(), error: z.string().nullable() })

let scratch: Scratch
let before: Record<string, unknown>
let after: Record<string, unknown>
beforeAll(async () => {
  scratch = await mergeFixture()
  const path = await scratch.copy('reference')
  before = await stateOf(path)
  await mergeBeside(path)
  after = await stateOf(path)
})
afterAll(() => scratch[Symbol.asyncDispose]())

const inChild = (path: string, mode: string, n: number, milliseconds = 0) =>
  run(process.execPath, ['--no-warnings', child, 'merge', path, mode, String(n)], {
    killSignal: 'SIGKILL',
    ...(milliseconds === 0 ? {} : { timeout: milliseconds }),
  }).then(
    ({ stdout }) => Outcome.parse(JSON.parse(stdout)),
    () => null,
  )

const expectWhole = async (path: string, about: string) => {
  await recoverWorkspace(path)
  expect(await leftoversIn(path), about).toEqual([])
  const state = await stateOf(path)
  expect(state, about).toEqual(state.predictions === before.predictions ? before : after)
}

test.each(['kill', 'torn', 'ENOSPC', 'EIO', 'EFBIG', 'ENOSPC-sticky', 'EIO-sticky'])('merge: %s at every operation', async (mode) => {
  const total = (await inChild(await scratch.copy('counted'), 'count', 0))?.operations ?? 0
  expect(total).toBeGreaterThan(60)
  process.stdout.write(`merge: ${mode} at ${total} operations\n`)
  for (let n = 1; n <= total; n++) {
    const path = await scratch.copy('faulty')
    await inChild(path, mode, n)
    await expectWhole(path, `${mode} at ${n} of ${total}`)
    await mergeBeside(path, 'again')
    expect(await stateOf(path), `merged again after ${mode} at ${n}`).toEqual(after)
  }
})

test('SIGKILL at any time, inside what DuckDB writes too', async () => {
  for (let round = 0; round < 60; round++) {
    const path = await scratch.copy('random')
    const milliseconds = 300 + Math.floor(Math.random() * 2500)
    await inChild(path, 'count', 0, milliseconds)
    await expectWhole(path, `after ${milliseconds} ms`)
  }
})
