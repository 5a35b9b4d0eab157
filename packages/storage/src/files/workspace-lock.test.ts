import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { withFault } from '../testing/fault-scene.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { type DiskOperation, setFaultHook } from './fault-point.ts'
import { ownIdentity } from './process-identity.ts'
import { acquireWorkspaceLock, readLockHolder } from './workspace-lock.ts'

const stale = (over: object = {}) =>
  JSON.stringify({
    pid: 2 ** 22 + 1,
    host: hostname(),
    started: null,
    job_id: 'old',
    kind: 'migrate',
    nonce: crypto.randomUUID(),
    since: '2026-01-01',
    ...over,
  })

const writeLock = async (root: string, content: string) => {
  await mkdir(join(root, '.nirs-workspace'), { recursive: true })
  await writeFile(join(root, '.nirs-workspace', 'lock'), content)
  const before = new Date(Date.now() - 60_000)
  await utimes(join(root, '.nirs-workspace', 'lock'), before, before)
}

test('a lock is held once, says by whom, and leaves nothing when released', async () => {
  await using folder = await temporaryFolder()
  const lock = await acquireWorkspaceLock(folder.path, { jobId: 'one', kind: 'migrate' })
  await expect(acquireWorkspaceLock(folder.path, { jobId: 'two', kind: 'migrate' })).rejects.toMatchObject({
    code: 'workspace_busy',
    fields: { job_id: 'one', locked_by: { pid: process.pid } },
  })
  expect(await readLockHolder(folder.path)).toMatchObject({ job_id: 'one' })
  await lock.release()
  expect(await readdir(folder.path)).toEqual([])
})

test('a lock of a process that is gone, or whose id now belongs to another, is taken over; one of another machine is not', async () => {
  await using folder = await temporaryFolder()
  const { started } = await ownIdentity()
  const [boot, start, space, machine] = (started ?? '').split(':')
  const mine = (over: Record<string, string>) =>
    stale({ pid: process.pid, started: Object.values({ boot, start, space, machine, ...over }).join(':') })
  for (const content of [stale(), mine({ start: '1' }), mine({ boot: 'another boot', space: '1' }), '', '{"torn']) {
    await writeLock(folder.path, content)
    const lock = await acquireWorkspaceLock(folder.path, { jobId: 'new', kind: 'migrate' })
    expect(await readdir(join(folder.path, '.nirs-workspace'))).toEqual(['lock'])
    await lock.release()
  }
  // Hosts may have one name; in another container a process of that id is another one, whether there is one here or not.
  const elsewhere = stale({ started: [boot, '1', '1', machine].join(':') })
  for (const content of [stale({ host: 'another-machine' }), elsewhere, mine({ boot: 'another boot', machine: 'another' })]) {
    await writeLock(folder.path, content)
    await expect(acquireWorkspaceLock(folder.path, { jobId: 'new', kind: 'migrate' })).rejects.toMatchObject({ code: 'workspace_busy' })
    expect(await readFile(join(folder.path, '.nirs-workspace', 'lock'), 'utf8')).toBe(content)
  }
})

test('a disk that fails once while a lock is taken: coded, nothing is held, and it can be taken again', async () => {
  await using folder = await temporaryFolder()
  const take = (jobId: string) => acquireWorkspaceLock(folder.path, { jobId, kind: 'migrate' })
  const codes: unknown[] = []
  for (const mode of ['EIO', 'ENOSPC', 'EFBIG'] as const) {
    for (let n = 1; ; n++) {
      const { error } = await withFault(mode, n, async () => (await take('failing')).release())
      if (error !== null)
        expect(error, `${mode} at ${n}`).toMatchObject({ code: 'write_failed', message: expect.stringContaining('Nothing') })
      codes.push(error)
      const lock = await take('next')
      await lock.release()
      // What is left of a lock whose last step failed goes when this process has ended.
      expect((await readdir(folder.path, { recursive: true })).filter((name) => !/lock\.part-|^\.nirs-workspace$/.test(name))).toEqual([])
      if (error === null && n > 8) break
    }
  }
  expect(codes.filter((error) => error !== null).length).toBeGreaterThan(8)
})

/** Waits until `path` is about to be made the third time, then lets `give` happen; whether the lock stayed as it was until then. */
const heldUntil = async (root: string, path: (operation: DiskOperation) => boolean, give: () => Promise<void>): Promise<boolean> => {
  const lockFile = join(root, '.nirs-workspace', 'lock')
  const before = await readFile(lockFile, 'utf8')
  let tries = 0
  let stayed = false
  setFaultHook(async (operation) => {
    if (!path(operation) || ++tries !== 3) return
    stayed = (await readFile(lockFile, 'utf8')) === before
    await give()
  })
  try {
    await (await acquireWorkspaceLock(root, { jobId: 'next', kind: 'migrate' })).release()
  } finally {
    setFaultHook(undefined)
  }
  return stayed
}

test('a stale lock is left to who has the right to remove it, one without content to who may be writing it', async () => {
  await using folder = await temporaryFolder()
  const content = stale()
  await writeLock(folder.path, content)
  const name = createHash('sha256').update(content).digest('hex').slice(0, 32)
  const right = join(folder.path, '.nirs-workspace', `lock.takeover-${name}-0`)
  await writeFile(right, JSON.stringify(await ownIdentity()))
  expect(
    await heldUntil(
      folder.path,
      ({ kind, path }) => kind === 'link' && path === right,
      () => rm(right),
    ),
  ).toBe(true)
  await writeLock(folder.path, '')
  const lockFile = join(folder.path, '.nirs-workspace', 'lock')
  await utimes(lockFile, new Date(), new Date())
  const age = () => utimes(lockFile, new Date(0), new Date(0))
  expect(await heldUntil(folder.path, ({ kind, path }) => kind === 'link' && path === lockFile, age)).toBe(true)
})

test('a lock taken over by another while it is judged stale is left to that other', async () => {
  await using folder = await temporaryFolder()
  await writeLock(folder.path, stale())
  const lockFile = join(folder.path, '.nirs-workspace', 'lock')
  const taken = stale({ ...(await ownIdentity()), job_id: 'other' })
  const ask = process.kill.bind(process)
  const asked = vi.spyOn(process, 'kill').mockImplementationOnce((pid, signal) => {
    writeFileSync(lockFile, taken)
    return ask(pid, signal)
  })
  try {
    await expect(acquireWorkspaceLock(folder.path, { jobId: 'new', kind: 'migrate' })).rejects.toMatchObject({
      code: 'workspace_busy',
      fields: { job_id: 'other' },
    })
    expect(asked).toHaveBeenCalledWith(2 ** 22 + 1, 0)
  } finally {
    asked.mockRestore()
  }
  expect(await readFile(lockFile, 'utf8')).toBe(taken)
})

test('on a disk without hard links, a lock that a rival has removed while it was written is not held', async () => {
  await using folder = await temporaryFolder()
  const lockFile = join(folder.path, '.nirs-workspace', 'lock')
  const taken = stale({ ...(await ownIdentity()), job_id: 'rival' })
  setFaultHook(({ kind, path }) => {
    if (kind === 'link') throw Object.assign(new Error('EOPNOTSUPP: injected'), { code: 'EOPNOTSUPP' })
    if (kind === 'fsync' && path === lockFile) {
      rmSync(lockFile)
      writeFileSync(lockFile, taken)
    }
  })
  try {
    await expect(acquireWorkspaceLock(folder.path, { jobId: 'new', kind: 'migrate' })).rejects.toMatchObject({
      code: 'workspace_busy',
      fields: { job_id: 'rival' },
    })
  } finally {
    setFaultHook(undefined)
  }
  expect(await readFile(lockFile, 'utf8')).toBe(taken)
})

test('a lock gets its name with all its content', async () => {
  await using folder = await temporaryFolder()
  const lockFile = join(folder.path, '.nirs-workspace', 'lock')
  const kinds: string[] = []
  setFaultHook(({ kind, path }) => {
    if (path === lockFile) kinds.push(kind)
  })
  await (await acquireWorkspaceLock(folder.path, { jobId: 'one', kind: 'migrate' })).release()
  setFaultHook(undefined)
  expect(kinds).toEqual(['link', 'unlink'])
})

test('two processes that find the same stale lock never hold it both', { timeout: 120_000 }, async () => {
  await using folder = await temporaryFolder()
  const children = [0, 1].map(() => fork(join(import.meta.dirname, '..', 'testing', 'fault-lock-child.ts'), [folder.path]))
  const answer = (child: (typeof children)[number]) => new Promise<unknown>((resolve) => child.once('message', resolve))
  try {
    await Promise.all(children.map(answer))
    const won = new Map<unknown, number>()
    for (let round = 0; round < 150; round++) {
      await writeLock(folder.path, stale())
      const answers = children.map(answer)
      for (const child of children) child.send('go')
      const results = await Promise.all(answers)
      for (const result of results) won.set(result, (won.get(result) ?? 0) + 1)
      expect(results).not.toContain('both')
      expect(results).toContain('held')
      expect(existsSync(join(folder.path, '.nirs-workspace', 'lock'))).toBe(false)
    }
    expect([...won.keys()].filter((result) => result !== 'held' && result !== 'busy')).toEqual([])
  } finally {
    for (const child of children) child.kill()
  }
})
