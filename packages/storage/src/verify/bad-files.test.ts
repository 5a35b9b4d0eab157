import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { quotedString } from '../engine/attach-store.ts'
import { makeWorkspace, saveArrays } from '../maintenance/testing/maintenance-fixture.ts'
import { readFooter, writeFooter } from '../parquet/footer.ts'
import { sealed } from '../parquet/own-metadata.ts'
import { intValue, structList, type ThriftStruct, withField } from '../parquet/thrift.ts'
import { makeParquet, makeStore, temporaryFolder } from '../testing/make-store.ts'
import { rewriteParquet } from '../testing/tamper.ts'
import { verifyWorkspace } from './verify-workspace.ts'

const rewritten = (what: string) => (path: string) => rewriteParquet(path, what)

/** Text over text, at the last place where it stands. */
const overwritten = (mark: string, text: string) => async (path: string) => {
  const bytes = await readFile(path)
  bytes.write(text, bytes.lastIndexOf(mark))
  await writeFile(path, bytes)
}

/** A byte of the mark at the start of the file, which no reader of values looks at. */
const startChanged = async (path: string): Promise<void> => {
  const bytes = await readFile(path)
  bytes.write('par1')
  await writeFile(path, bytes)
}

// Field numbers of FileMetaData in the Parquet specification.
const [numRows, rowGroups] = [3, 4]

/** A footer that says something else, and that nobody can tell from one that was written so. */
const resealed = (change: (metadata: ThriftStruct) => ThriftStruct) => async (path: string) => {
  const footer = await readFooter(path)
  await writeFooter(path, footer, sealed(change(footer.metadata)))
}

/** Bytes that belong to nothing between the last page and the footer, which stays as it is. */
const padded = async (path: string): Promise<void> => {
  const { start } = await readFooter(path)
  const bytes = await readFile(path)
  await writeFile(path, Buffer.concat([bytes.subarray(0, start), Buffer.alloc(64, 'x'), bytes.subarray(start)]))
}

/** By dataset: what is done to its file, and what the check has to say. */
const damages: Record<string, { damage: (path: string) => Promise<void>; said: Record<string, unknown> }> = {
  footer: { damage: overwritten('data_sha256', 'DATA'), said: { detail: expect.stringContaining('its footer has changed') } },
  bytes: { damage: startChanged, said: { detail: expect.stringContaining('its bytes have changed') } },
  padding: { damage: padded, said: { detail: expect.stringContaining('padding.parquet, its bytes have changed') } },
  group: {
    damage: resealed((metadata) => withField(withField(metadata, numRows, intValue(0, 'i64')), rowGroups, structList([]))),
    said: { detail: expect.stringContaining('group.parquet, has another number of row groups than its checksums') },
  },
  column: { damage: rewritten('* EXCLUDE (y_pred)'), said: { detail: expect.stringContaining('column.parquet: it has no column y_pred') } },
  type: {
    damage: rewritten('* REPLACE (y_true::FLOAT[] AS y_true)'),
    said: { detail: expect.stringContaining('type.parquet: y_true is FLOAT[], not DOUBLE[]') },
  },
  lengths: { damage: rewritten('* REPLACE (y_pred[1:2] AS y_pred)'), said: { code: 'length_mismatch', ids: ['lengths'] } },
  shape: {
    damage: rewritten('* REPLACE ([0.1, 0.2, 0.7]::DOUBLE[] AS y_proba, [2, 2]::INTEGER[] AS y_proba_shape)'),
    said: { code: 'proba_shape', ids: ['shape'] },
  },
  nobody: {
    damage: rewritten("* REPLACE (nullif(prediction_id, 'nobody') AS prediction_id)"),
    said: { code: 'rows_without_id', ids: ['arrays/nobody.parquet'] },
  },
  twice: {
    damage: (path) => rewriteParquet(path, '*', `true UNION ALL SELECT * FROM read_parquet(${quotedString(path)})`),
    said: { severity: 'info', code: 'replaced_array_rows', ids: ['twice'] },
  },
}

test('the deep check names whatever is wrong with a file, and nothing of a sound one', async () => {
  await using folder = await temporaryFolder()
  const names = Object.keys(damages)
  const second = { id: 'padding too', dataset: 'padding', fold: '1' }
  const predictions = [...names.map((dataset) => ({ id: dataset, dataset })), { ...second, y: null }]
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions })
  // Saved later: the file notes its bytes piece by piece.
  await saveArrays(folder.path, [second])
  expect((await verifyWorkspace(folder.path, { depth: 'deep' })).findings).toEqual([])
  for (const [name, { damage }] of Object.entries(damages)) await damage(join(folder.path, 'arrays', `${name}.parquet`))
  const { findings } = await verifyWorkspace(folder.path, { depth: 'deep' })
  for (const { said } of Object.values(damages)) expect(findings).toContainEqual(expect.objectContaining(said))
})

test.each(['quick', 'deep'] as const)(
  'a file whose footer counts fewer rows than its pages hold is an error of the %s check',
  async (depth) => {
    await using folder = await temporaryFolder()
    const predictions = [{ id: 'a' }, { id: 'b', fold: '1' }]
    await makeStore(join(folder.path, 'store.duckdb'), { release: '0.8.1', predictions })
    await mkdir(join(folder.path, 'arrays'))
    const path = join(folder.path, 'arrays', 'wheat.parquet')
    await makeParquet(path, predictions)
    expect(await verifyWorkspace(folder.path, { depth })).toMatchObject({ passed: true, rows_checked: 2 })
    const footer = await readFooter(path)
    await writeFooter(path, footer, withField(footer.metadata, numRows, intValue(1, 'i64')))
    const { passed, findings } = await verifyWorkspace(folder.path, { depth })
    expect(passed).toBe(false)
    expect(findings).toMatchObject([{ severity: 'error', detail: expect.stringContaining('another number of rows than its pages') }])
  },
)
