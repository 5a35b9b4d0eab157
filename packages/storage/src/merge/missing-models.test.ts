import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { temporaryFolder } from '../testing/make-store.ts'
import { mergeStores } from './merge-stores.ts'
import { makeHybrid } from './testing/merge-fixture.ts'

vi.setConfig({ testTimeout: 120_000 })

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

const merge = (target: string, sources: readonly string[], options: object = {}) =>
  mergeStores(target, sources, { cacheFolder: join(folder.path, 'cache'), jobId: 'job', create: true, ...options })

const model = 'a model'
const hash = createHash('sha256').update(model).digest('hex')
const withModel = async (name: string, content: string | null, path = 'aa/model.joblib') => {
  const root = await makeHybrid(join(folder.path, name), {
    predictions: [{ id: 'p' }],
    extra: [
      `INSERT INTO artifacts (artifact_id, artifact_path, content_hash) VALUES ('m', '${path}', 'sha256:${hash}')`,
      `UPDATE chains SET fold_artifacts = '{"fold_0": "m"}'`,
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
