import { ChildProcess } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeDemo } from '@nirs-workspace/demo'
import { buildCatalog, resolveWorkspace } from '@nirs-workspace/storage'
import { readZip } from '@nirs-workspace/storage/testing'
import { ExportRequest } from '@nirs-workspace/types'
import { afterAll, expect, test, vi } from 'vitest'
import { createLog } from '../log.ts'
import { copyDemo, removeCopies } from '../testing/workspace-copies.ts'
import { ExportFiles } from './export-files.ts'
import { Turns } from './turns.ts'

const fork = vi.hoisted(() => vi.fn())
vi.mock(import('node:child_process'), async (original) => {
  const real = await original()
  fork.mockImplementation(real.fork)
  return { ...real, fork }
})

afterAll(removeCopies)

const filesBelow = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map(({ name }) => name)

test('an export reads the catalog that it was told to, also when newer ones have been built before it has its turn', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nirs-export-'))
  const exports = new ExportFiles(
    folder,
    createLog(() => undefined),
  )
  const waiting = vi.spyOn(Turns.prototype, 'take')
  try {
    const resolved = await resolveWorkspace(await copyDemo())
    const { signal } = new AbortController()
    const options = { cacheFolder: folder }
    const prepare = async () => {
      const { path } = await buildCatalog(resolved, options)
      waiting.mockImplementationOnce(async () => {
        await rm(path)
        return () => undefined
      })
      return { resolved, catalog: { file: { path } } }
    }
    const one = ExportRequest.parse({ format: 'parquet' })
    const order = { type: 'file', dataset_name: 'wheat_protein', request: one } as const
    const { file, release } = await exports.hold({ ...order, context: await prepare() }, 'now', signal)
    expect(file.rows).toBeGreaterThan(0)
    expect(await filesBelow(join(folder, 'exports'))).toEqual(['export.parquet'])
    release()

    const chunks: Uint8Array[] = []
    const all = { type: 'zip', request: ExportRequest.parse({ format: 'zip' }) } as const
    for await (const chunk of exports.archive({ ...all, context: await prepare() }, signal)) chunks.push(chunk)
    expect(readZip(Buffer.concat(chunks)).has('manifest.json')).toBe(true)

    const gone = { resolved, catalog: { file: { path: join(folder, 'gone.duckdb') } } }
    await expect(exports.hold({ ...order, context: gone }, 'later', signal)).rejects.toMatchObject({ code: 'catalog_building' })
  } finally {
    waiting.mockRestore()
    await exports.close()
    await rm(folder, { recursive: true, force: true })
  }
})

test('an export whose process is killed leaves nothing in the cache folder, and the next one succeeds', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nirs-export-'))
  const exports = new ExportFiles(
    folder,
    createLog(() => undefined),
  )
  const left = () => filesBelow(join(folder, 'exports')).catch(() => [])
  try {
    const resolved = await resolveWorkspace((await makeDemo({ directory: join(folder, 'demo'), size: 'small' })).path)
    const { path } = await buildCatalog(resolved, { cacheFolder: folder })
    const request = ExportRequest.parse({ format: 'csv', layout: 'sample' })
    const context = { resolved, catalog: { file: { path } } }
    const order = { type: 'file', dataset_name: 'wheat_protein', request, context } as const
    const { signal } = new AbortController()
    const exported = expect(exports.hold(order, 'now', signal)).rejects.toMatchObject({ code: 'reader_failed' })
    await vi.waitUntil(async () => (await left()).some((name) => name.endsWith('.tmp')), { timeout: 60_000, interval: 1 })
    const child: unknown = fork.mock.results.at(-1)?.value
    expect(child instanceof ChildProcess && child.kill('SIGKILL')).toBe(true)
    await exported
    expect(await left()).toEqual([])
    const [own = ''] = await readdir(join(folder, 'exports'))
    expect(await readdir(join(folder, 'exports', own))).toEqual([])
    const { file, release } = await exports.hold(order, 'now', signal)
    expect(file.rows).toBeGreaterThan(0)
    release()
  } finally {
    await exports.close()
    await rm(folder, { recursive: true, force: true })
  }
})
