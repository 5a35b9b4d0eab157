import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { ArrayStore } from '../array-store/array-store.ts'
import { makeWorkspace } from '../maintenance/testing/maintenance-fixture.ts'
import { recoverWorkspace } from '../migration/recover-workspace.ts'
import { rescueArrays } from '../rescue/rescue-arrays.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { acquireWorkspaceLock } from './workspace-lock.ts'

/** Another program with an exclusive flock on a file, until it is disposed of. */
const holdFlock = async (path: string): Promise<{ pid: number | undefined } & AsyncDisposable> => {
  // Without -F the lock would be held by a child of the child.
  const child = spawn('flock', ['-F', path, 'sh', '-c', 'echo held; exec sleep 30'], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  const end = async () => {
    const ended = once(child, 'exit')
    child.kill()
    await ended
  }
  return { pid: child.pid, [Symbol.asyncDispose]: end }
}

const take = (root: string) => acquireWorkspaceLock(root, { jobId: 'job', kind: 'test' })

test.runIf(existsSync('/proc/locks'))('while another program holds arrays/.lock nobody writes; afterwards everybody may', async () => {
  await using folder = await temporaryFolder()
  await mkdir(join(folder.path, 'arrays'))
  {
    await using holder = await holdFlock(join(folder.path, 'arrays', '.lock'))
    const locked = { code: 'store_locked', exitCode: 4, fields: { locked_by: { pid: holder.pid } } }
    await expect(take(folder.path)).rejects.toMatchObject(locked)
    await expect(ArrayStore.open(folder.path).deleteBatch(new Set(['a']))).rejects.toMatchObject(locked)
    expect(await readdir(folder.path, { recursive: true })).toEqual(['arrays', 'arrays/.lock'])
  }
  await (await take(folder.path)).release()
})

test.runIf(existsSync('/proc/locks'))('a lock on another file, and a lock that nobody holds, are no hindrance', async () => {
  await using folder = await temporaryFolder()
  await mkdir(join(folder.path, 'arrays'))
  await writeFile(join(folder.path, 'arrays', '.lock'), '')
  await using _ = await holdFlock(join(folder.path, 'arrays', 'other'))
  await (await take(folder.path)).release()
})

test.runIf(existsSync('/proc/locks'))('what a dead job has left waits until the other program has finished', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions: [{ id: 'a' }] })
  const part = join(folder.path, '.nirs-workspace', 'lock.part-left')
  await mkdir(dirname(part))
  await writeFile(part, '')
  await utimes(part, new Date(0), new Date(0))
  {
    await using _ = await holdFlock(join(folder.path, 'arrays', '.lock'))
    await expect(rescueArrays(folder.path, { jobId: 'rescue' })).rejects.toMatchObject({ code: 'store_locked' })
    expect([await recoverWorkspace(folder.path), existsSync(part)]).toEqual([{ recovered: false, is_busy: true }, true])
  }
  expect([await recoverWorkspace(folder.path), existsSync(part)]).toEqual([{ recovered: false }, false])
})
