import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ArrayStore } from '../array-store/array-store.ts'
import { withEngine } from '../engine/open-engine.ts'
import { readBlocks } from '../engine/read-blocks.ts'
import { ArraysDigest } from '../parquet/arrays-digest.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { compareRescued } from './compare-rescued.ts'

/** Figures of what a query gives: y_pred as SQL, and with it the rest of the row. */
const figuresOf = (y_pred: string, dataset = 'wheat') =>
  withEngine({}, async (engine) => {
    const digest = new ArraysDigest()
    const sql = `SELECT 'new' AS prediction_id, '${dataset}' AS dataset_name, [1.0]::DOUBLE[] AS y_true, ${y_pred}::DOUBLE[] AS y_pred,
      NULL::DOUBLE[] AS y_proba, NULL::INTEGER[] AS sample_indices, []::DOUBLE[] AS weights`
    for await (const block of readBlocks(engine, sql)) digest.add(block)
    return digest.results()
  })

test('rows that came are compared to the bit; those that were there before do not count', async () => {
  await using folder = await temporaryFolder()
  const store = ArrayStore.open(folder.path)
  await store.saveBatch([{ prediction_id: 'before', dataset_name: 'wheat', y_pred: [5] }])
  await store.saveBatch([{ prediction_id: 'new', dataset_name: 'wheat', y_true: [1], y_pred: [-0, Number.NaN, null], weights: [] }])
  const file = { path: join(folder.path, 'arrays', 'wheat.parquet'), name: 'wheat.parquet', rowsBefore: 1 }
  await compareRescued(file, await figuresOf("['-0.0', 'NaN', NULL]"), undefined)
  for (const other of ["['0.0', 'NaN', NULL]", "['-0.0', 'NaN', '0']", "['-0.0', 'NaN']", 'NULL']) {
    await expect(compareRescued(file, await figuresOf(other), undefined), other).rejects.toMatchObject({ code: 'verification_failed' })
  }
  const figures = await figuresOf("['-0.0', 'NaN', NULL]")
  for (const source of [new Map(), new Map([...figures, ...(await figuresOf('NULL', 'rye'))])])
    await expect(compareRescued(file, source, undefined)).rejects.toMatchObject({ code: 'verification_failed' })
  await expect(compareRescued({ ...file, rowsBefore: 0 }, figures, undefined)).rejects.toMatchObject({ code: 'verification_failed' })
})
