import { createHash } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeWorkspace, storeKinds } from '../maintenance/testing/maintenance-fixture.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { verifyWorkspace } from './verify-workspace.ts'

const content = 'a fitted model'
const hash = createHash('sha256').update(content).digest('hex')
const row = (id: string, path: string, saved: string) =>
  `INSERT INTO artifacts (artifact_id, artifact_path, content_hash, size_bytes) VALUES ('${id}', '${path}', '${saved}', ${content.length})`
const extra = [
  row('m1', 'aa/one.joblib', hash),
  row('m2', 'aa/two.joblib', `sha256:${hash}`),
  row('m3', 'aa/one.joblib', hash),
  `UPDATE chains SET fold_artifacts = '{"0": "m1"}'`,
]

test.each(storeKinds)(
  'models of a store.%s: other bytes are found by the deep check, another size by both, a missing file is told',
  async (kind) => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions: [{ id: 'a' }], extra })
    await mkdir(join(folder.path, 'artifacts/aa'), { recursive: true })
    const one = join(folder.path, 'artifacts/aa/one.joblib')
    const two = join(folder.path, 'artifacts/aa/two.joblib')
    await writeFile(one, content)
    await writeFile(two, content)
    const check = (depth: 'quick' | 'deep') => verifyWorkspace(folder.path, { depth })
    expect(await check('deep')).toMatchObject({ passed: true, findings: [] })
    await writeFile(one, 'a fitted moXel')
    expect(await check('quick')).toMatchObject({ passed: true, findings: [] })
    const damaged = {
      code: 'artifact_corrupt',
      severity: 'error',
      count: 1,
      ids: ['m1', 'm3'],
      detail: expect.stringMatching(/artifacts\/aa\/one\.joblib.*1 chain needs.*c-wheat/),
    }
    expect(await check('deep')).toMatchObject({ passed: false, findings: [damaged] })
    await writeFile(one, 'a fitted')
    expect(await check('quick')).toMatchObject({ passed: false, findings: [damaged] })
    await writeFile(one, content)
    await rm(two)
    const missing = { code: 'missing_artifact_files', severity: 'info', ids: ['m2'], detail: expect.stringContaining('No chain needs') }
    expect(await check('deep')).toMatchObject({ passed: true, findings: [missing] })
  },
)

test('a row that leads outside of artifacts/ is damage, and what it names is not read', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions: [{ id: 'a' }], extra: [row('m', '../store.duckdb', hash)] })
  expect((await verifyWorkspace(folder.path, { depth: 'deep' })).findings).toMatchObject([{ code: 'artifact_corrupt', ids: ['m'] }])
})
