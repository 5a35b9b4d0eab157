import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildCatalog, resolveWorkspace } from '@nirs-workspace/storage'
import { readZip } from '@nirs-workspace/storage/testing'
import { ExportRequest } from '@nirs-workspace/types'
import { afterAll, expect, test, vi } from 'vitest'
import { createLog } from '../log.ts'
import { copyDemo, removeCopies } from '../testing/workspace-copies.ts'
import { ExportFiles } from './export-files.ts'
import { Turns } from './turns.ts'

afterAll(removeCopies)

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
    const [own = ''] = await readdir(join(folder, 'exports'))
    expect(await readdir(join(folder, 'exports', own))).toHaveLength(1)
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
