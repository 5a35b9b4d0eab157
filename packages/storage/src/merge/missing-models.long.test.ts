import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from '../testing/make-store.ts'
import { changeStore } from '../testing/tamper.ts'
import { mergeStores } from './merge-stores.ts'
import { makeHybrid, queryStore } from './testing/merge-fixture.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

const merge = (target: string, sources: readonly string[], options: object = {}) =>
  mergeStores(target, sources, { cacheFolder: join(folder.path, 'cache'), jobId: 'job', create: true, ...options })

const model = 'a model'
const hash = createHash('sha256').update(model).digest('hex')
const withModel = async (name: string, content: string | null, path = 'aa/model.joblib', id = 'm') => {
  const root = await makeHybrid(join(folder.path, name), {
    predictions: [{ id: `p-${id}`, fold: id }],
    extra: [
      `INSERT INTO artifacts (artifact_id, artifact_path, content_hash) VALUES ('${id}', '${path}', 'sha256:${hash}')`,
      `UPDATE chains SET fold_artifacts = '{"fold_0": "${id}"}'`,
    ],
  })
  if (content === null) return root
  await mkdir(dirname(join(root, 'artifacts', path)), { recursive: true })
  await writeFile(join(root, 'artifacts', path), content)
  return root
}
const modelIn = (root: string, path = 'aa/model.joblib') => readFile(join(root, 'artifacts', path), 'utf8').catch(() => null)

test('the file of a model whose row is there without it comes from the source that has it, and no other file in its place', async () => {
  const to = await withModel('to', null)
  const changed = await withModel('changed', 'another model')
  const sound = await withModel('sound', model, 'elsewhere/m.joblib')
  expect(await merge(to, [changed])).toMatchObject({ record_path: null })
  expect(await merge(to, [sound], { datasets: ['wheat'] })).toMatchObject({ artifact_files: 1, rows: { artifacts: 0 } })
  expect(await modelIn(to)).toBe(model)
  expect(await merge(to, [sound], { jobId: 'again' })).toMatchObject({ record_path: null })
  // What lies there stays, whatever it is.
  await writeFile(join(to, 'artifacts', 'aa', 'model.joblib'), 'edited')
  expect(await merge(to, [sound], { jobId: 'third' })).toMatchObject({ record_path: null })
})

test('the file of a model that a first source lacks comes from a later one', async () => {
  const [none, sound] = [await withModel('none', null), await withModel('sound', model)]
  const to = join(folder.path, 'to')
  expect(await merge(to, [none, sound])).toMatchObject({ artifact_files: 1, rows: { artifacts: 1 } })
  expect(await modelIn(to)).toBe(model)
})

const other = createHash('sha256').update('other').digest('hex')
const changeTo = `UPDATE artifacts SET content_hash = '${other}'`
const modelRows = async (root: string) =>
  (await queryStore(root, 'SELECT artifact_path, content_hash FROM artifacts ORDER BY artifact_id')).map((row) => Object.values(row))

test.runIf(process.platform !== 'win32')(
  'a row without its file, or with a link in its place, never names the file of another model',
  async () => {
    const to = await withModel('to', model, 'aa/model.joblib', 'a')
    const linked = await withModel('linked', null, 'aa/model.joblib', 'b')
    await changeStore(join(linked, 'store.duckdb'), changeTo)
    await mkdir(join(linked, 'artifacts', 'aa'), { recursive: true })
    await writeFile(join(linked, 'elsewhere'), 'other')
    await symlink('../../elsewhere', join(linked, 'artifacts', 'aa', 'model.joblib'))
    await merge(to, [linked])
    expect(await modelRows(to)).toEqual([
      ['aa/model.joblib', `sha256:${hash}`],
      [`${other.slice(0, 2)}/${other}.joblib`, other],
    ])
    const [none, sound] = [await withModel('none', null, 'm.joblib', 'a'), await withModel('sound', model, 'm.joblib', 'b')]
    await changeStore(join(none, 'store.duckdb'), changeTo)
    const both = join(folder.path, 'both')
    await merge(both, [none, sound])
    expect(await modelRows(both)).toEqual([
      ['m.joblib', other],
      [`${hash.slice(0, 2)}/${hash}.joblib`, `sha256:${hash}`],
    ])
    expect([await modelIn(both, 'm.joblib'), await modelIn(both, `${hash.slice(0, 2)}/${hash}.joblib`)]).toEqual([null, model])
  },
)

test('a model whose names are all taken, by a damaged file of its own name or by a folder, comes under a further one', async () => {
  const named = `${hash.slice(0, 2)}/${hash}`
  const to = await withModel('to', 'a mod', `${named}.joblib`)
  await mkdir(join(to, 'artifacts', 'aa', 'folder.pkl'), { recursive: true })
  const sources = [
    await withModel('one', model, `${named}.joblib`, 'one'),
    await withModel('two', model, 'aa/folder.pkl', 'two'),
    await withModel('three', model, `${named}.joblib`, 'three'),
  ]
  expect(await merge(to, sources)).toMatchObject({ artifact_files: 2, rows: { artifacts: 3 } })
  expect(await modelIn(to, `${named}.joblib`)).toBe('a mod')
  expect(await queryStore(to, "SELECT artifact_path AS path FROM artifacts WHERE artifact_id <> 'm' ORDER BY artifact_id")).toEqual(
    ['one', 'three', 'two'].map((id) => ({ path: id === 'two' ? `${named}.pkl` : `${named}-2.joblib` })),
  )
  expect(await modelIn(to, `${named}-2.joblib`)).toBe(model)
  expect(await merge(to, sources, { jobId: 'again' })).toMatchObject({ record_path: null })
})

test.each(['a link out of the workspace', 'a file'])(
  'no model is put where its folder would be is %s: the merge is refused',
  async (what) => {
    const to = await withModel('to', 'mine', 'bb/mine.joblib', 'mine')
    const from = await withModel('from', model, 'aa/model.joblib')
    const outside = join(folder.path, 'outside')
    await mkdir(outside)
    const place = join(to, 'artifacts', 'aa')
    await (what === 'a file' ? writeFile(place, 'a file') : symlink(outside, place))
    const before = await queryStore(to, 'SELECT prediction_id FROM predictions')
    await expect(merge(to, [from])).rejects.toMatchObject({ code: 'path_not_allowed' })
    expect([await readdir(outside), await queryStore(to, 'SELECT prediction_id FROM predictions')]).toEqual([[], before])
    expect(await readdir(join(to, '.nirs-workspace')).catch(() => [])).not.toContain('journal.json')
  },
)
