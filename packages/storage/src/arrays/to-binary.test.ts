import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { elementsOf, floatList, integerList, type NumberList } from '../engine/number-list.ts'
import { type ArrayRow, arrayColumns } from './array-source.ts'
import { decodeArrays } from './from-binary.ts'
import { makeScatter } from './scatter.ts'
import { emptyRow } from './testing/empty-row.ts'
import { encodeArrays } from './to-binary.ts'
import { toWireArrays } from './to-wire.ts'

const floats = fc.option(fc.array(fc.option(fc.double()), { maxLength: 9 }).map(floatList))
const rows: fc.Arbitrary<ArrayRow[]> = fc.array(
  fc.record({
    prediction_id: fc.string({ unit: 'grapheme' }),
    y_true: floats,
    y_pred: floats,
    y_proba: floats,
    y_proba_shape: fc.option(fc.array(fc.nat(99), { maxLength: 2 })),
    sample_indices: fc.option(fc.array(fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })), { maxLength: 9 }).map(integerList)),
    weights: floats,
  }),
  { maxLength: 5 },
)

const elements = (list: NumberList | null | undefined) => (list ? elementsOf(list) : null)

describe('encodeArrays', () => {
  it('survives the way there and back, in one block or several', () => {
    fc.assert(
      fc.property(rows, rows, (first, second) => {
        const blocks = [encodeArrays(first), encodeArrays(second)]
        expect(blocks.map((block) => block.length % 8)).toEqual([0, 0])
        const decoded = decodeArrays(Buffer.concat(blocks))
        expect(decoded.map((row) => row.prediction_id)).toEqual([...first, ...second].map((row) => row.prediction_id))
        for (const [index, row] of [...first, ...second].entries()) {
          expect(decoded[index]?.y_proba_shape).toEqual(row.y_proba_shape)
          for (const column of arrayColumns) expect(elements(decoded[index]?.[column])).toEqual(elements(row[column]))
        }
      }),
    )
  })

  it('keeps every bit of a number', () => {
    const bits = new BigUint64Array([0x7ff8000000000abcn, 0xfff0000000000001n, 0x8000000000000000n])
    const row = { ...emptyRow, y_true: { values: new Float64Array(bits.buffer), nulls: null } }
    const values = decodeArrays(encodeArrays([row]))[0]?.y_true?.values
    expect(values && [...new BigUint64Array(values.buffer, values.byteOffset, values.length)]).toEqual([...bits])
  })
})

describe('toWireArrays and makeScatter', () => {
  const row: ArrayRow = {
    ...emptyRow,
    y_true: floatList([1, null, Number.NaN, 3]),
    y_pred: floatList([1.5, 2, Number.NEGATIVE_INFINITY, 3]),
    sample_indices: integerList([4, 5, 6, null]),
  }

  it('writes non-finite numbers as words and keeps null apart', () => {
    expect(toWireArrays(row)).toEqual({
      prediction_id: 'a',
      y_true: [1, null, 'NaN', 3],
      y_pred: [1.5, 2, '-Infinity', 3],
      y_proba: null,
      y_proba_shape: null,
      sample_indices: [4, 5, 6, null],
      weights: null,
    })
  })

  it('carries the figures of the task and says how many pairs they rest on', () => {
    const described = {
      prediction_id: 'a',
      dataset_name: 'd',
      model_name: 'm',
      fold_id: '0',
      partition: 'val',
      metric: 'rmse',
      task_type: 'regression',
    }
    const scatter = makeScatter(described, row)
    expect(scatter.classification).toBeNull()
    expect(scatter.regression).toMatchObject({ n: 2, excluded: 2, bias: 0.25 })
    const classes = makeScatter({ ...described, task_type: 'multiclass_classification' }, row)
    expect(classes.regression).toBeNull()
    expect(classes.classification).toMatchObject({ n: 2, labels: [1, 1.5, 3] })
    expect(makeScatter(described, emptyRow)).toMatchObject({ y_true: [], y_pred: [], sample_indices: null, regression: { n: 0 } })
    const unpaired = { ...row, y_true: floatList([1, 2, 3]) }
    for (const task_type of ['regression', 'binary_classification'])
      expect(makeScatter({ ...described, task_type }, unpaired)).toMatchObject({ regression: null, classification: null })
  })
})
