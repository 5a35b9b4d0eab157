import { mkdir, rename, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import type { PredictionPage, Problem, ServerEvent, WorkspaceList } from '@nirs-workspace/types'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { openTestApp, type TestApp } from '../src/testing/test-app.ts'
import { treeHash } from '../src/testing/tree-hash.ts'
import { copyMigratedDemo, removeCopies } from '../src/testing/workspace-copies.ts'

let app: TestApp
afterEach(() => app.close())
afterAll(removeCopies)

const problemOf = async (path: string, init?: RequestInit) => {
  const response = await app.request(path, init)
  const { code, detail, hint } = (await response.json()) as Problem
  return { status: response.status, code, detail, hint }
}
const rowsOf = async (query = '') => ((await app.get(`/predictions?limit=1000${query}`)) as PredictionPage).rows
const listed = async () => ((await app.get('/workspaces')) as WorkspaceList).rows[0]
const send = { method: 'POST', headers: { 'content-type': 'application/json' } }

describe('an array file that is damaged or gone', () => {
  test('is named by the routes of arrays, whether the catalog has noticed or not', async () => {
    const path = await copyMigratedDemo()
    app = await openTestApp(path)
    const sources = new Map<string, string>()
    for (const row of await rowsOf('&has_arrays=true')) sources.set(row.dataset_name, row.prediction_id)
    const [[cutName, cut] = ['', ''], [goneName, gone] = ['', '']] = sources
    await truncate(join(path, 'arrays', `${cutName}.parquet`), 100)
    await rename(join(path, 'arrays', `${goneName}.parquet`), join(path, 'moved.parquet'))
    const told = async () => {
      for (const route of ['arrays', 'scatter']) {
        expect(await problemOf(`/predictions/${cut}/${route}`)).toMatchObject({
          status: 409,
          code: 'arrays_corrupt',
          detail: expect.stringContaining(`arrays/${cutName}.parquet`),
        })
        expect(await problemOf(`/predictions/${gone}/${route}`)).toMatchObject({
          status: 404,
          code: 'arrays_missing',
          detail: `arrays/${goneName}.parquet is not there. Nothing was changed.`,
          hint: expect.stringContaining('Restore the file from a backup'),
        })
      }
    }
    await told()
    await vi.waitFor(async () => {
      const states = new Map((await rowsOf()).map((row) => [row.prediction_id, row.arrays_state]))
      expect([states.get(cut), states.get(gone)]).toEqual(['unreadable', 'unreadable'])
    }, 120_000)
    await told()
  })
})

describe('a workspace that vanishes while it is open', () => {
  const questions: [path: string, init?: RequestInit][] = [
    ['/overview'],
    ['/runs'],
    ['/runs/r'],
    ['/predictions'],
    ['/predictions/facets'],
    ['/predictions/histogram?column=val_score'],
    ['/predictions/top'],
    ['/predictions/none'],
    ['/predictions/none/arrays'],
    ['/predictions/none/scatter'],
    ['/aggregated-predictions/none/arrays'],
    ['/predictions/arrays', { ...send, body: '{"ids":["none"]}' }],
    ['/aggregated-predictions/export/none.parquet'],
    ['/aggregated-predictions/export', { ...send, body: '{"format":"csv"}' }],
    ['/workspace/storage-status'],
    ['/workspace/inspect'],
    ['/workspace/stats'],
    ['/workspace/migrate/status'],
    ['/workspace/migrate', { ...send, body: '{"dry_run":true}' }],
    ['/workspace/migrate', { ...send, body: '{"dry_run":false}' }],
    ['/workspace/migrate/rollback', { ...send, body: '{}' }],
    ['/workspace/migrate/verify', { ...send, body: '{}' }],
    ['/workspace/migrate/backup', { method: 'DELETE' }],
  ]

  test('every route says so, also of what it has in memory, and starts nothing', async () => {
    const path = await copyMigratedDemo()
    app = await openTestApp(path)
    await app.get('/workspace/stats')
    await app.get('/overview')
    const before = treeHash(path)
    await rename(path, `${path} renamed`)
    for (const [question, init] of questions) {
      expect({ question, ...(await problemOf(question, init)) }).toEqual({
        question,
        status: 404,
        code: 'workspace_not_found',
        detail: `There is no nirs4all workspace at ${path} any more: it or its store was renamed, moved or deleted, or its disk is not connected. This program has changed nothing.`,
        hint: 'Put it back or connect the disk, and it is shown again by itself; or open it at its new place.',
      })
    }
    expect(app.services.jobs.list()).toEqual([])
    expect(await listed()).toMatchObject({ exists: false, catalog: { state: 'stale', detail: expect.stringContaining('any more') } })
    expect(treeHash(`${path} renamed`)).toBe(before)
  })

  test('it is shown again when it is back, and whoever listens is told both', async () => {
    const path = await copyMigratedDemo()
    app = await openTestApp(path)
    await app.get('/overview')
    const heard: string[] = []
    const stop = app.services.hub.subscribe(`workspace:${app.workspace}`, undefined, (event: ServerEvent) => heard.push(event.type))
    await rename(path, `${path} renamed`)
    await vi.waitFor(() => expect(heard).toContain('workspace_missing'), { timeout: 120_000, interval: 100 })
    expect(await listed()).toMatchObject({ exists: false })
    await rename(`${path} renamed`, path)
    await vi.waitFor(() => expect(heard).toContain('workspace_found'), { timeout: 120_000, interval: 100 })
    stop()
    expect(await listed()).toMatchObject({ exists: true, catalog: { state: 'ready', detail: null } })
    for (const [question] of [['/overview'], ['/workspace/stats'], ['/workspace/storage-status'], ['/predictions']] as const) {
      expect([question, (await app.request(question)).status]).toEqual([question, 200])
    }
  })

  test('the empty folder that an unplugged disk leaves behind is no empty workspace', async () => {
    const path = await copyMigratedDemo()
    app = await openTestApp(path)
    await app.get('/overview')
    await rename(path, `${path} unplugged`)
    await mkdir(path)
    expect(await problemOf('/predictions/none/arrays')).toMatchObject({ status: 404, code: 'workspace_not_found' })
    expect(await listed()).toMatchObject({ exists: false })
    await rm(path, { recursive: true })
    await rename(`${path} unplugged`, path)
    expect(await listed()).toMatchObject({ exists: true })
    expect((await app.request('/overview')).status).toBe(200)
  })
})
