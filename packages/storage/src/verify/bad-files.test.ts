import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { quotedString } from '../engine/attach-store.ts'
import { makeWorkspace } from '../maintenance/testing/maintenance-fixture.ts'
import { temporaryFolder } from '../testing/make-store.ts'
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

/** By dataset: what is done to its file, and what the check has to say. */
const damages: Record<string, { damage: (path: string) => Promise<void>; said: Record<string, unknown> }> = {
  footer: { damage: overwritten('data_sha256', 'DATA'), said: { detail: expect.stringContaining('its footer has changed') } },
  bytes: { damage: startChanged, said: { detail: expect.stringContaining('its bytes have changed') } },
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
    said: { code: 'duplicate_array_rows', ids: ['twice'] },
  },
}

test('the deep check names whatever is wrong with a file, and nothing of a sound one', async () => {
  await using folder = await temporaryFolder()
  const names = Object.keys(damages)
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions: names.map((dataset) => ({ id: dataset, dataset })) })
  expect((await verifyWorkspace(folder.path, { depth: 'deep' })).findings).toEqual([])
  for (const [name, { damage }] of Object.entries(damages)) await damage(join(folder.path, 'arrays', `${name}.parquet`))
  const { findings } = await verifyWorkspace(folder.path, { depth: 'deep' })
  for (const { said } of Object.values(damages)) expect(findings).toContainEqual(expect.objectContaining(said))
})
