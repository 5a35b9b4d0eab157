import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ExportManifest, ExportRequest } from '@nirs-workspace/types'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { arrayFileName } from '../arrays/file-name.ts'
import {
  type FixturePrediction,
  type FixtureWorkspace,
  fixtureWorkspace,
  writeArrayFile,
  writeCatalog,
} from '../arrays/testing/fixture-workspace.ts'
import { openFilesBelow, treeHash } from '../arrays/testing/tree-hash.ts'
import { floatList } from '../engine/number-list.ts'
import type { StorageError } from '../errors.ts'
import { readZip } from '../testing/read-zip.ts'
import { exportZip } from './export-zip.ts'

let workspace: FixtureWorkspace
let scratch: string
beforeEach(async () => {
  workspace = await fixtureWorkspace()
  scratch = join(workspace.outside, 'scratch')
  await mkdir(scratch)
})
afterEach(async () => {
  expect(await readdir(scratch)).toEqual([])
  expect(await openFilesBelow(scratch)).toEqual([])
  expect(await openFilesBelow(workspace.root)).toEqual([])
  await workspace.remove()
})

const make = async (datasets: readonly string[]): Promise<void> => {
  const byFile = Map.groupBy(datasets, arrayFileName)
  const rows: FixturePrediction[] = []
  for (const [name, sharing] of byFile) {
    const inFile = sharing.map((dataset_name): FixturePrediction => {
      const prediction_id = createHash('md5').update(dataset_name).digest('hex')
      return {
        prediction_id,
        dataset_name,
        array_source: `arrays/${name}`,
        arrays: { y_true: floatList([1, 2]), y_pred: floatList([1, 3]) },
      }
    })
    await writeArrayFile(join(workspace.arrays ?? '', name), inFile)
    rows.push(...inFile)
  }
  await writeCatalog(workspace.catalogPath, rows)
}

const start = (request: Partial<ExportRequest> = {}, signal?: AbortSignal, onLeftOut?: (reason: StorageError) => void) =>
  exportZip(
    { resolved: workspace, catalog: { file: { path: workspace.catalogPath } } },
    { ...ExportRequest.parse({ format: 'zip' }), ...request },
    { scratchFolder: scratch, signal, ...(onLeftOut === undefined ? {} : { onLeftOut }) },
  )

const collect = async (stream: ReadableStream<Uint8Array>): Promise<Buffer> => Buffer.from(await new Response(stream).arrayBuffer())

/** Number of entries that Python's zipfile finds sound; without Python, what our own reading finds. */
const entriesForPython = (path: string): number => {
  if (spawnSync('python3', ['--version']).status !== 0) return readZip(readFileSync(path)).size
  const check = 'import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(len(z.namelist()))'
  return Number(execFileSync('python3', ['-c', check, path]))
}

describe('exportZip', () => {
  it('N8: one file per dataset and a manifest that holds their hashes, whatever the datasets are called', async () => {
    const names = [
      'wheat',
      'Wheat',
      'a b',
      'a_b',
      'é',
      'e\u0301',
      '../../x',
      '..',
      'CON',
      'a/b',
      '=cmd',
      '__proto__',
      'x'.repeat(300),
      '\u202etxt',
    ]
    await make(names)
    const before = await treeHash(workspace.root)
    const zip = await collect(start())
    const entries = readZip(zip)
    const manifest = ExportManifest.parse(JSON.parse(entries.get('manifest.json')?.toString() ?? ''))
    expect(manifest).toMatchObject({ format: 'nirs-workspace/export/1', workspace: 'fixture', filters: null })
    expect(new Set(manifest.files.map((file) => file.dataset_name))).toEqual(new Set(names))
    expect([...entries.keys()].sort()).toEqual([...manifest.files.map((file) => file.path), 'manifest.json'].sort())
    for (const file of manifest.files) {
      const bytes = entries.get(file.path) ?? Buffer.alloc(0)
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(file.sha256)
      expect(file).toMatchObject({ rows: 1, bytes: bytes.length })
      expect(file.path).toMatch(/^[^/\\]+\.parquet$/)
    }
    expect(await treeHash(workspace.root)).toBe(before)
    await writeFile(join(workspace.outside, 'out.zip'), zip)
    expect(entriesForPython(join(workspace.outside, 'out.zip'))).toBe(names.length + 1)
  })

  it('takes the datasets asked for, each once, in the format and layout asked for, and says what to know of each', async () => {
    await make(['a', 'b', 'c'])
    await writeFile(join(workspace.arrays ?? '', '_tombstones.json'), '[')
    const entries = readZip(await collect(start({ dataset_names: ['b', 'a', 'b'], format: 'csv', layout: 'sample' })))
    expect([...entries.keys()]).toEqual(['b.csv', 'a.csv', 'manifest.json'])
    expect(entries.get('a.csv')?.toString().split('\n')).toHaveLength(4)
    const { files } = ExportManifest.parse(JSON.parse(String(entries.get('manifest.json'))))
    const warnings = [expect.stringContaining('The list of removed predictions is damaged')]
    expect(files.map((file) => file.warnings)).toEqual([warnings, warnings])
  })

  it('is refused with the name of a dataset that is not there', async () => {
    await make(['a'])
    await expect(collect(start({ dataset_names: ['a', 'absent'] }))).rejects.toMatchObject({ code: 'dataset_not_found' })
  })

  it('leaves out datasets without a row under the filters and names them; with no row at all it is refused before the first byte', async () => {
    await make(['a', 'b', 'c'])
    const leftOut: string[] = []
    const only = { equals: { dataset_name: ['b'] } }
    const entries = readZip(await collect(start({ filters: only }, undefined, ({ message }) => leftOut.push(message))))
    expect([...entries.keys()]).toEqual(['b.parquet', 'manifest.json'])
    const manifest = ExportManifest.parse(JSON.parse(entries.get('manifest.json')?.toString() ?? ''))
    expect(manifest.left_out).toEqual(['a', 'c'])
    expect(leftOut).toEqual([expect.stringContaining('No prediction of "a"'), expect.stringContaining('No prediction of "c"')])
    const none = start({ filters: { equals: { partition: ['absent'] } } }).getReader()
    await expect(none.read()).rejects.toMatchObject({
      code: 'nothing_to_export',
      message: expect.stringContaining('None of the 3 datasets'),
    })
    await expect(collect(start({ dataset_names: ['a'], filters: only }))).rejects.toMatchObject({
      message: 'No prediction of "a" passes the filters. Nothing was written.',
    })
  })

  it('leaves nothing behind when the reader stops, when it is cancelled, and when a file is damaged', async () => {
    await make(['a', 'b', 'c'])
    const reader = start().getReader()
    await reader.read()
    await reader.read()
    await reader.cancel('gone')
    expect(await readdir(scratch)).toEqual([])
    const stop = new AbortController()
    const cancelled = start({}, stop.signal).getReader()
    await cancelled.read()
    stop.abort()
    const rest = async () => {
      while (!(await cancelled.read()).done);
    }
    await expect(rest()).rejects.toMatchObject({ name: 'AbortError' })
    await writeFile(join(workspace.arrays ?? '', 'c.parquet'), (await readFile(join(workspace.arrays ?? '', 'c.parquet'))).subarray(0, 300))
    await expect(collect(start())).rejects.toMatchObject({ code: 'arrays_corrupt' })
  })
})
