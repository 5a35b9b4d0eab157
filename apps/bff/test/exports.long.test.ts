import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withEngine } from '@nirs-workspace/storage'
import { readZip } from '@nirs-workspace/storage/testing'
import { ExportCount, ExportManifest, type PredictionPage, Problem, type WorkspaceStats } from '@nirs-workspace/types'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { startWriter } from '../src/testing/start-writer.ts'
import { openTestApp, type TestApp } from '../src/testing/test-app.ts'
import { startTestServer } from '../src/testing/test-server.ts'
import { copyDemo, copySample, hasSamples, removeCopies } from '../src/testing/workspace-copies.ts'

let app: TestApp
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nirs-export-'))
})
afterEach(async () => {
  await app.close()
  await rm(folder, { recursive: true, force: true })
})
afterAll(removeCopies)

const pageOf = async (query: string) => (await app.get(`/predictions?${query}`)) as PredictionPage
const firstDataset = async () => (await pageOf('limit=1&sort=dataset_name:asc')).rows[0]?.dataset_name ?? ''
const exportPath = (dataset: string, query = '') => `/aggregated-predictions/export/${encodeURIComponent(dataset)}.parquet${query}`

/** Opens a downloaded file as a workspace of its own and answers its predictions. */
const reopen = async (response: Response): Promise<{ page: PredictionPage; arrays: unknown[] }> => {
  const path = join(folder, 'downloaded.parquet')
  await writeFile(path, Buffer.from(await response.arrayBuffer()))
  const lone = await openTestApp(path)
  try {
    const page = (await lone.get('/predictions?limit=1000&sort=prediction_id:asc')) as PredictionPage
    const ids = page.rows.map((row) => row.prediction_id)
    const many = (await (await lone.post('/predictions/arrays', { ids })).json()) as { rows: { prediction_id: string }[] }
    return { page, arrays: many.rows.toSorted(byId) }
  } finally {
    await lone.close()
  }
}

const byId = (a: { prediction_id: string }, b: { prediction_id: string }) => (a.prediction_id < b.prediction_id ? -1 : 1)

test('test_export_parquet_single_dataset: the file holds the rows and arrays of the dataset and stands on its own', async () => {
  app = await openTestApp(await copyDemo())
  const dataset = await firstDataset()
  const response = await app.request(exportPath(dataset))
  expect(response.status).toBe(200)
  expect(response.headers.get('content-disposition')).toContain(`filename*=UTF-8''${encodeURIComponent(dataset)}.parquet`)
  const expected = await pageOf(`limit=1000&sort=prediction_id:asc&dataset_name=${encodeURIComponent(dataset)}`)
  const ids = expected.rows.map((row) => row.prediction_id)
  const before = (await (await app.post('/predictions/arrays', { ids })).json()) as { rows: { prediction_id: string }[] }
  const { page, arrays } = await reopen(response)
  expect(page.total).toBe(expected.total)
  expect(
    page.rows.map(({ prediction_id, model_name, fold_id, partition, metric, val_score }) => [
      prediction_id,
      model_name,
      fold_id,
      partition,
      metric,
      val_score,
    ]),
  ).toEqual(
    expected.rows.map(({ prediction_id, model_name, fold_id, partition, metric, val_score }) => [
      prediction_id,
      model_name,
      fold_id,
      partition,
      metric,
      val_score,
    ]),
  )
  expect(arrays).toEqual(before.rows.toSorted(byId))
})

test('test_export_parquet_filtered: partition and model narrow the file', async () => {
  app = await openTestApp(await copyDemo())
  const dataset = await firstDataset()
  const expected = await pageOf(`limit=1000&sort=prediction_id:asc&partition=val&dataset_name=${encodeURIComponent(dataset)}`)
  const { page } = await reopen(await app.request(exportPath(dataset, '?partition=val')))
  expect(page.rows.map((row) => row.prediction_id)).toEqual(expected.rows.map((row) => row.prediction_id))
  const model = expected.rows[0]?.model_name ?? ''
  const ofModel = expected.rows.filter((row) => row.model_name === model)
  const narrowed = await reopen(await app.request(exportPath(dataset, `?partition=val&model_name=${encodeURIComponent(model)}`)))
  expect(narrowed.page.total).toBe(ofModel.length)
  expect((await app.request(exportPath(dataset, '?model_name='))).status).toBe(404)
})

test('what matches nothing is counted as nothing and refused before a byte is sent; an archive names the datasets that it leaves out', async () => {
  app = await openTestApp(await copyDemo())
  const [dataset = '', other = ''] = [...new Set((await pageOf('limit=1000')).rows.map((row) => row.dataset_name))]
  const asked = async (path: string, body: object) => app.post(`/aggregated-predictions/export${path}`, body)
  const refused = async (response: Response) => [response.status, Problem.parse(await response.json()).code]
  const both = { dataset_names: [dataset, other], filters: { equals: { dataset_name: [dataset], partition: ['val'] } } }
  const { total } = await pageOf(`partition=val&dataset_name=${encodeURIComponent(dataset)}`)
  const count = ExportCount.parse(await (await asked('/count', both)).json())
  const told = { dataset_name: dataset, predictions: total, removed: 0, without_arrays: 0 }
  expect(count).toEqual({ predictions: total, datasets: [told], removals_damaged: false })
  const entries = readZip(Buffer.from(await (await asked('', both)).arrayBuffer()))
  const manifest = ExportManifest.parse(JSON.parse(String(entries.get('manifest.json'))))
  expect([manifest.files.map((file) => [file.dataset_name, file.rows]), manifest.left_out]).toEqual([[[dataset, total]], [other]])
  const nothing = { filters: { equals: { partition: ['nope'] } } }
  expect(await (await asked('/count', nothing)).json()).toEqual({ predictions: 0, datasets: [], removals_damaged: false })
  for (const body of [nothing, { ...nothing, dataset_names: [dataset] }, { ...nothing, dataset_names: [dataset], format: 'csv' }]) {
    expect(await refused(await asked('', body))).toEqual([404, 'nothing_to_export'])
  }
  expect(await refused(await app.request(exportPath(dataset, '?partition=nope')))).toEqual([404, 'nothing_to_export'])
})

test('the size of an export is told before it is made: about right from a store, as it is from files', async () => {
  const path = await copyDemo()
  app = await openTestApp(path)
  const legacy = ((await app.get('/workspace/stats')) as WorkspaceStats).datasets
  for (const { name, bytes = 0, bytes_are_estimate } of legacy) {
    const made = Number((await app.request(exportPath(name), { method: 'HEAD' })).headers.get('content-length'))
    expect([name, bytes_are_estimate, bytes > made / 2.5 && bytes < made * 2.5]).toEqual([name, true, true])
  }
  const { job_id } = (await (await app.post('/workspace/migrate', {})).json()) as { job_id: string }
  await app.services.jobs.whenEnded(job_id)
  const migrated = ((await app.get('/workspace/stats')) as WorkspaceStats).datasets
  expect(migrated.map(({ bytes }) => bytes)).toEqual(migrated.map(({ parquet_bytes }) => parquet_bytes))
  expect(migrated.every(({ bytes, bytes_are_estimate }) => Number(bytes) > 0 && bytes_are_estimate === false)).toBe(true)
})

test('several datasets come as a ZIP whose manifest tells the truth about every file', async () => {
  app = await openTestApp(await copyDemo())
  const names = [...new Set((await pageOf('limit=1000')).rows.map((row) => row.dataset_name))].slice(0, 2)
  const response = await app.post('/aggregated-predictions/export', { dataset_names: names, format: 'parquet' })
  expect(response.headers.get('content-type')).toBe('application/zip')
  const entries = readZip(Buffer.from(await response.arrayBuffer()))
  const manifest = ExportManifest.parse(JSON.parse(String(entries.get('manifest.json'))))
  expect(manifest.files.map((file) => file.dataset_name).sort()).toEqual([...names].sort())
  expect(entries.size).toBe(manifest.files.length + 1)
  for (const file of manifest.files) {
    const bytes = entries.get(file.path) ?? Buffer.alloc(0)
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(file.sha256)
    expect(bytes.length).toBe(file.bytes)
  }
})

test('X7: HEAD, ETag, Range and If-Range follow RFC 9110', async () => {
  app = await openTestApp(await copyDemo())
  const path = exportPath(await firstDataset())
  const whole = await app.request(path)
  const bytes = Buffer.from(await whole.arrayBuffer())
  const etag = whole.headers.get('etag') ?? ''
  const head = await app.request(path, { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, String(bytes.length), ''])
  expect((await app.request(path, { headers: { 'if-none-match': etag } })).status).toBe(304)
  const part = await app.request(path, { headers: { range: 'bytes=4-7' } })
  expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 4-7/${bytes.length}`])
  expect(Buffer.from(await part.arrayBuffer())).toEqual(bytes.subarray(4, 8))
  const tail = await app.request(path, { headers: { range: 'bytes=-4', 'if-range': etag } })
  expect(await tail.text()).toBe('PAR1')
  const other = await app.request(path, { headers: { range: 'bytes=0-3', 'if-range': '"another"' } })
  expect([other.status, (await other.arrayBuffer()).byteLength]).toEqual([200, bytes.length])
  expect((await app.request(path, { headers: { range: `bytes=${bytes.length}-` } })).status).toBe(416)
  const statusOf = async (headers: Record<string, string>, method = 'GET') => (await app.request(path, { method, headers })).status
  expect(await statusOf({ range: 'BYTES=0-1' })).toBe(206)
  for (const whole of ['bytes=0-1,5-6', 'bytes=0-1, 5-6', 'bytes=5-2', 'bytes=a-b', 'bytes=-', 'lines=0-1', 'bytes', '']) {
    expect([whole, await statusOf({ range: whole })]).toEqual([whole, 200])
  }
  expect(await statusOf({ range: 'bytes=0-3' }, 'HEAD')).toBe(200)
  expect(await statusOf({ range: 'bytes=0-3', 'if-range': `W/${etag}` })).toBe(200)
  expect(await statusOf({ range: 'bytes=0-3', 'if-range': 'Sat, 01 Jan 2050 00:00:00 GMT' })).toBe(200)
  expect(await statusOf({ range: 'bytes=0-3', 'if-none-match': `"a", W/${etag}` })).toBe(304)
  expect(await statusOf({ 'if-match': `"a", ${etag}`, range: 'bytes=0-3' })).toBe(206)
  for (const met of ['*', etag]) expect(await statusOf({ 'if-match': met })).toBe(200)
  for (const unmet of ['"a"', `W/${etag}`, '']) expect([unmet, await statusOf({ 'if-match': unmet })]).toEqual([unmet, 412])
  expect(await statusOf({ 'if-match': '"a"', 'if-none-match': etag })).toBe(412)
})

test('X7: a POST takes no range, and a condition of it that is not met is 412', async () => {
  app = await openTestApp(await copyDemo())
  const ask = (headers: Record<string, string>) =>
    app.request('/aggregated-predictions/export', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ dataset_names: [dataset] }),
    })
  const dataset = await firstDataset()
  const whole = await ask({ range: 'bytes=0-3' })
  expect([whole.status, (await whole.arrayBuffer()).byteLength]).toEqual([200, Number(whole.headers.get('content-length'))])
  expect((await ask({ 'if-none-match': whole.headers.get('etag') ?? '' })).status).toBe(412)
})

test('unknown datasets are 404 before any byte is sent, traversal is only a name', async () => {
  app = await openTestApp(await copyDemo())
  for (const name of ['nope', '../../etc/passwd', '..\\x', '/etc/passwd', '%2e%2e', '*', '__proto__', "a'b", 'a\nb']) {
    const response = await app.request(exportPath(name))
    expect([name, response.status]).toEqual([name, 404])
  }
  const archive = await app.post('/aggregated-predictions/export', { dataset_names: ['nope'], format: 'zip' })
  expect(archive.status).toBe(404)
})

test.runIf(hasSamples)(
  'files known to be unreadable are named before any byte is sent, and what the filters leave out does no harm',
  async () => {
    const path = await copySample('hybrid-0.8.1')
    await truncate(join(path, 'arrays', 'grain_protein.parquet'), 1000)
    await rename(join(path, 'arrays', 'origin_binary.parquet'), join(path, 'origin_binary.parquet'))
    app = await openTestApp(path)
    const ask = (body: object) => app.post('/aggregated-predictions/export', { format: 'zip', ...body })
    const refusal = async (body: object) => {
      const { code, detail } = Problem.parse(await (await ask(body)).json())
      return [code, detail]
    }
    const damaged = expect.stringContaining('arrays/grain_protein.parquet is damaged: the arrays of "grain_protein" cannot be read')
    const missing = expect.stringContaining('arrays/origin_binary.parquet is not there: the arrays of "origin_binary" cannot be read')
    for (const format of ['zip', 'parquet', 'csv']) {
      expect(await refusal({ format, dataset_names: ['dataset', 'grain_protein'] })).toEqual(['arrays_corrupt', damaged])
    }
    expect(await refusal({ dataset_names: ['dataset', 'origin_binary'] })).toEqual(['arrays_missing', missing])
    const all = await refusal({})
    expect(all).toEqual(['arrays_corrupt', damaged])
    expect(all).toEqual(['arrays_corrupt', missing])
    const filters = { equals: { metric: ['rmse'], dataset_name: ['dataset', 'two_probes'] } }
    for (const body of [{ dataset_names: ['dataset', 'two_probes'] }, { dataset_names: ['dataset', 'grain_protein'], filters }]) {
      const sound = await ask(body)
      expect(sound.status).toBe(200)
      expect([...readZip(Buffer.from(await sound.arrayBuffer())).keys()]).toContain('manifest.json')
    }
  },
)

test.runIf(hasSamples)('N5: a name with accents and a slash is downloaded under a safe file name', async () => {
  app = await openTestApp(await copySample('hybrid-0.8.1'))
  const response = await app.request(exportPath('Blé dur / lot 2'))
  expect(response.status).toBe(200)
  const disposition = response.headers.get('content-disposition') ?? ''
  expect(disposition).toMatch(/^attachment; filename="[ -~]+\.parquet"; filename\*=UTF-8''[\w%.~-]+\.parquet$/)
  const { page } = await reopen(response)
  expect(page.total).toBe(17)
})

/** Gives one prediction each of a workspace one of these names as its dataset. The arrays refer to the row and must go. */
const renameDatasets = async (workspace: string, names: readonly string[]): Promise<void> => {
  const writer = await startWriter(join(workspace, 'store.duckdb'))
  await writer.run('DELETE FROM store.prediction_arrays')
  for (const [index, name] of names.entries()) {
    const literal = [...Buffer.from(name)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
    await writer.run(
      `UPDATE store.predictions SET dataset_name = decode('${literal}'::BLOB) WHERE prediction_id =
         (SELECT prediction_id FROM store.predictions ORDER BY prediction_id LIMIT 1 OFFSET ${index})`,
    )
  }
  await writer.release()
}

const Named = z.object({ id: z.string(), name: z.string() })

/** Ids and names of datasets in a downloaded file, these in hexadecimal digits of their bytes. */
const namesIn = async (response: Response) => {
  const path = join(folder, 'named.parquet')
  await writeFile(path, Buffer.from(await response.arrayBuffer()))
  return withEngine({}, (engine) =>
    engine.rows(Named, 'SELECT prediction_id AS id, hex(dataset_name) AS name FROM read_parquet($path)', { path }),
  )
}

test('a workspace that has gone away is 404, not a mistake of the program', async () => {
  const path = await copyDemo()
  app = await openTestApp(path)
  const dataset = await firstDataset()
  await rm(path, { recursive: true })
  const one = await app.request(exportPath(dataset))
  const all = await app.post('/aggregated-predictions/export', { format: 'zip' })
  for (const answer of [one, all]) {
    expect([answer.status, await answer.json()]).toEqual([404, expect.objectContaining({ code: 'workspace_not_found' })])
  }
})

test('N3: datasets of any name are exported under it, each its own rows', async () => {
  const names = [
    '',
    '.',
    '..',
    '.parquet',
    'a.parquet',
    'a\r\nb: c',
    'a/b',
    'a\\b',
    '100%',
    '%41',
    '%2F',
    '%ff',
    '../../x',
    '\uFEFFa',
    'a\uFEFF',
  ]
  names.push('🍎🌾', '\u202Ea', 'a\u0000b', 'a?b#c&d', '*', "'", '"', '__proto__', ' a ', 'é', 'e\u0301', 'x'.repeat(1000))
  const workspace = await copyDemo()
  await renameDatasets(workspace, names)
  app = await openTestApp(workspace)
  const ids = new Set<string>()
  for (const name of names) {
    const found = await pageOf(`dataset_name=${encodeURIComponent(name)}`)
    expect([name, found.total]).toEqual([name, 1])
    const response = await app.request(exportPath(name))
    expect([name, response.status]).toEqual([name, 200])
    expect(response.headers.get('content-disposition')).toMatch(
      /^attachment; filename="[ -~]+\.parquet"; filename\*=UTF-8''[\w%.~-]+\.parquet$/,
    )
    const warnings = ['1 of 1 predictions was stored without arrays: its row has none.']
    expect(JSON.parse(response.headers.get('x-export-warnings') ?? '')).toEqual(warnings)
    const id = found.rows[0]?.prediction_id ?? ''
    expect(await namesIn(response)).toEqual([{ id, name: Buffer.from(name).toString('hex').toUpperCase() }])
    ids.add(id)
  }
  expect(ids.size).toBe(names.length)
})

test('X2, X6: a client that goes away stops the work, and nothing is left in the cache folder', async () => {
  const server = await startTestServer()
  app = await openTestApp(undefined)
  try {
    const workspace = await server.services.workspaces.open(await copyDemo())
    await workspace.query(async () => undefined)
    const url = `http://127.0.0.1:${server.port}/api/aggregated-predictions/export?workspace=${workspace.id}`
    const abort = new AbortController()
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
      body: '{"format":"zip"}',
      signal: abort.signal,
    })
    await response.body?.getReader().read()
    abort.abort()
    await vi.waitFor(async () => {
      const folders = await readdir(join(server.folder, 'cache', 'exports'))
      const files = await Promise.all(folders.map((name) => readdir(join(server.folder, 'cache', 'exports', name))))
      expect(files.flat()).toEqual([])
    }, 120_000)
  } finally {
    await server.close()
  }
})
