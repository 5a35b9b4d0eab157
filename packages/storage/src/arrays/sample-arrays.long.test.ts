import { fromWireNumber } from '@nirs-workspace/types'
import { describe, expect, it } from 'vitest'
import { type ArrayReader, withArrayReader } from './array-reader.ts'
import type { ArrayRow } from './array-source.ts'
import { hashDatasetArrays } from './dataset-hash.ts'
import { makeScatter } from './scatter.ts'
import { expectedFigures, type SampleWorkspace, sampleWorkspace } from './testing/sample-workspace.ts'
import { openFilesBelow, treeHash } from './testing/tree-hash.ts'

const withSample = async (name: string, work: (sample: SampleWorkspace, reader: ArrayReader) => Promise<void>): Promise<void> => {
  const sample = await sampleWorkspace(name)
  try {
    const before = await treeHash(sample.resolved.root)
    await withArrayReader({}, (reader) => work(sample, reader))
    expect(await treeHash(sample.resolved.root)).toBe(before)
    expect(await openFilesBelow(sample.resolved.root)).toEqual([])
  } finally {
    await sample.remove()
  }
}

const loadOne = async (sample: SampleWorkspace, reader: ArrayReader, id: string): Promise<ArrayRow> => {
  const ref = sample.predictions.find((row) => row.prediction_id === id)
  const row = ref && (await reader.loadOne(sample.resolved, ref))
  if (!row) throw new Error(`No arrays of ${id}`)
  return row
}

const relative = (value: number, expected: number) => Math.abs(value - expected) <= 1e-9 * Math.max(Math.abs(expected), 1e-300)

describe.each([...expectedFigures])('sample workspace %s', (name, expected) => {
  it('test_store_adapter_arrays_after_migration: every value of every dataset is what other software reads', async () => {
    await withSample(name, async (sample, reader) => {
      for (const [dataset, figures] of Object.entries(expected.datasets)) {
        let refs = sample.predictions.filter((row) => row.dataset_name === dataset)
        expect(refs.length).toBe(figures.predictions)
        // One Parquet row of mid-migration is stale: reads prefer Parquet, the expected figures the table.
        refs = refs.map((row) => (row.prediction_id === expected.migration?.stale ? { ...row, array_source: 'table' } : row))
        expect(refs.filter((row) => row.array_source !== null).length).toBe(figures.withArrayRow)
        expect(await hashDatasetArrays(reader, sample.resolved, refs), dataset).toBe(figures.arraysSha256)
      }
    })
  })

  it('test_store_adapter_scatter_after_migration: figures equal those computed by numpy and scikit-learn', async () => {
    await withSample(name, async (sample, reader) => {
      const described = { dataset_name: 'd', model_name: 'm', fold_id: '0', partition: 'val', metric: 'rmse' }
      for (const { predictionId, metrics } of expected.samplePredictions.filter(
        ({ predictionId }) => predictionId !== expected.migration?.stale,
      )) {
        const row = await loadOne(sample, reader, predictionId)
        const { regression } = makeScatter({ ...described, prediction_id: predictionId, task_type: 'regression' }, row)
        const figures = {
          rmse: regression?.rmse,
          r2: regression?.r2,
          bias: regression?.bias,
          sep: regression?.sep,
          sepN1: regression?.sep_n1,
        }
        for (const [metric, value] of Object.entries(figures)) {
          expect(relative(fromWireNumber(value ?? 'NaN'), metrics[metric] ?? Number.NaN), `${predictionId} ${metric}`).toBe(true)
        }
      }
      for (const { predictionId, metrics } of expected.sampleClassification) {
        const row = await loadOne(sample, reader, predictionId)
        const { classification } = makeScatter({ ...described, prediction_id: predictionId, task_type: 'multiclass_classification' }, row)
        expect(relative(fromWireNumber(classification?.accuracy ?? 'NaN'), metrics.accuracy ?? Number.NaN)).toBe(true)
        expect(relative(fromWireNumber(classification?.balanced_accuracy ?? 'NaN'), metrics.balancedAccuracy ?? Number.NaN)).toBe(true)
      }
    })
  })
})

describe.runIf(expectedFigures.has('mid-migration'))('sample workspace mid-migration', () => {
  it('reads Parquet first where both hold a prediction', async () => {
    await withSample('mid-migration', async (sample, reader) => {
      const stale = expectedFigures.get('mid-migration')?.migration?.stale ?? ''
      const fromParquet = await loadOne(sample, reader, stale)
      const fromTable = await reader.loadOne(sample.resolved, { prediction_id: stale, array_source: 'table' })
      expect(fromParquet.y_pred).not.toEqual(fromTable?.y_pred)
      expect(fromParquet.y_true).toEqual(fromTable?.y_true)
    })
  })
})
