import { expect, test } from 'vitest'
import { snapshot } from '../maintenance/testing/maintenance-fixture.ts'
import { mergeBeside, mergeFixture } from '../merge/testing/merge-faults.ts'
import { listTrash } from './list-trash.ts'
import { restoreTrash } from './restore-trash.ts'

test('what gave way in a merge comes back from the trash beside what has replaced it', async () => {
  await using scratch = await mergeFixture()
  const path = await scratch.copy('target')
  const before = await snapshot(path)
  await mergeBeside(path)
  const merged = await snapshot(path)
  const [operation] = (await listTrash(path)).rows
  expect(operation).toMatchObject({ kind: 'merge', counts: { predictions: 1 } })
  expect(await restoreTrash(path, operation?.operation_id ?? '', { jobId: 'back' })).toMatchObject({
    counts: { predictions: 1, arrays: 1 },
    remaining: false,
  })
  const after = await snapshot(path)
  expect(after.tables).toMatchObject({
    runs: merged.tables.runs,
    predictions: [...(merged.tables.predictions ?? []), expect.any(String)].map(() => expect.any(String)),
  })
  expect(before.tables.predictions?.every((row) => after.tables.predictions?.includes(row))).toBe(true)
  expect(after.arrays).toMatchObject(before.arrays)
  expect(after.arrays).toMatchObject(merged.arrays)
})
