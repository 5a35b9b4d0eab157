import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hashTree } from '../testing/hash-tree.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { mergeStores } from './merge-stores.ts'
import { planMerge } from './plan-merge.ts'
import { makeHybrid } from './testing/merge-fixture.ts'

test('a target inside of a source and files of the target itself are refused, by whatever path, and nothing is written', async () => {
  await using folder = await temporaryFolder()
  const at = (...names: string[]) => join(folder.path, ...names)
  const source = await makeHybrid(at('source'), { predictions: [{ id: 'a' }] })
  const target = await makeHybrid(at('target'), { predictions: [{ id: 'b' }] })
  await symlink(source, at('link'))
  await symlink(join(target, 'arrays', 'wheat.parquet'), at('linked.parquet'))
  const before = await hashTree(folder.path)
  const options = { cacheFolder: at('cache'), create: true }
  const cases: [string, string][] = [
    [join(source, 'inside'), source],
    [at('link', 'arrays', 'deep', 'inside'), source],
    [target, join(target, 'arrays', 'wheat.parquet')],
    [target, at('linked.parquet')],
  ]
  for (const [to, from] of cases) {
    await expect(planMerge(to, [from], options)).rejects.toMatchObject({ code: 'path_not_allowed' })
    await expect(mergeStores(to, [from], { ...options, jobId: 'job' })).rejects.toMatchObject({ code: 'path_not_allowed' })
  }
  expect(await hashTree(folder.path)).toBe(before)
})

test('no workspace is planned where a file is in the way', async () => {
  await using folder = await temporaryFolder()
  const source = await makeHybrid(join(folder.path, 'source'), { predictions: [{ id: 'a' }] })
  const file = join(folder.path, 'notes.txt')
  await writeFile(file, 'hello')
  await mkdir(join(folder.path, 'free'))
  const plan = (to: string) => planMerge(to, [source], { create: true, cacheFolder: join(folder.path, 'cache') })
  await expect(plan(file)).rejects.toMatchObject({ code: 'not_a_workspace', exitCode: 3 })
  await expect(plan(join(file, 'below', 'it'))).rejects.toMatchObject({ code: 'workspace_not_found', exitCode: 3 })
  for (const to of [join(folder.path, 'free'), join(folder.path, 'new', 'below')])
    expect(await plan(to)).toMatchObject({ creates_target: true })
})
