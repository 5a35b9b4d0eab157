import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { detectStorage, resolveWorkspace } from '@nirs-workspace/storage'
import { expect, test } from 'vitest'
import { cliHome } from '../testing/cli-home.ts'
import { copyDemo } from '../testing/workspace-copies.ts'

const cli = cliHome()
const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
// Progress goes to terminals only.
const asTerminal = fileURLToPath(new URL('../testing/as-terminal.ts', import.meta.url))

interface Ended {
  code: number | null
  stderr: string
}

/** Runs a verb with outputs whose readers are gone before it writes a byte, or with `stdout` in place of the first. */
const runUnread = async (parameters: readonly string[], lost: { stdout?: number; stderr?: boolean }): Promise<Ended> => {
  const child = spawn(process.execPath, ['--import', asTerminal, main, ...parameters], {
    stdio: ['ignore', lost.stdout ?? 'pipe', 'pipe'],
    env: { ...process.env, NIRS_WORKSPACE_HOME: cli.home },
  })
  let stderr = ''
  child.stdout?.destroy()
  if (lost.stderr === true) child.stderr?.destroy()
  else child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  const [code] = await once(child, 'close')
  return { code: typeof code === 'number' ? code : null, stderr }
}

test('a reader that goes away is no failure and no finding', async () => {
  const path = await copyDemo()
  for (const parameters of [
    ['list', path, 'predictions', '--limit', '1000'],
    ['list', path, 'predictions', '--limit', '1000', '--json'],
    ['verify', path],
    ['openapi'],
    ['--help'],
  ]) {
    const { code, stderr } = await runUnread(parameters, {})
    expect([parameters[0], code, stderr]).toEqual([parameters[0], 0, expect.not.stringMatching(/EPIPE|Unhandled|at /)])
  }
  expect((await runUnread(['show', path, 'none-such', '--json'], {})).code).toBe(2)
})

test('a job goes on to its end when neither its answer nor its progress is read', async () => {
  const path = await copyDemo()
  expect((await runUnread(['migrate', path, '--yes'], { stderr: true })).code).toBe(0)
  expect((await detectStorage(await resolveWorkspace(path))).storage_mode).toBe('migrated')
})

test.skipIf(!existsSync('/dev/full'))('an answer that finds no space is told, with the exit code of a failed writing', async () => {
  const path = await copyDemo()
  const full = openSync('/dev/full', 'w')
  try {
    for (const parameters of [
      ['list', path, 'predictions', '--json'],
      ['list', path, 'runs'],
    ]) {
      const { code, stderr } = await runUnread(parameters, { stdout: full })
      expect([code, stderr]).toEqual([5, expect.stringContaining('(ENOSPC)')])
      expect(stderr).not.toMatch(/Unhandled| at /)
    }
    // What the verb itself ends with says more.
    expect((await runUnread(['show', path, 'none-such', '--json'], { stdout: full })).code).toBe(2)
  } finally {
    closeSync(full)
  }
})
