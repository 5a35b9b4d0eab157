import type { PredictionRow } from '@nirs-workspace/types'
import { render, screen } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import { prediction } from '../../../test/data.ts'
import { makeFormatters } from '../../lib/format.ts'
import { en } from '../../text/en.ts'
import { columnViews, plainCell } from './cells.tsx'
import { gridColumns } from './columns.ts'

const format = makeFormatters('en')
const viewOf = (column: string) =>
  columnViews(
    gridColumns.filter(({ id }) => id === column),
    [],
    {},
    en(format),
    format,
  )[0]

describe('column of arrays', () => {
  it.each([
    ['stored', true, 'yes', 'true'],
    ['none', false, 'no', 'false'],
    ['unreadable', false, 'unreadable', 'unreadable'],
  ] as const)('arrays that are %s', (arrays_state, has_arrays, shown, copied) => {
    const row: PredictionRow = { ...prediction(0), has_arrays, arrays_state }
    render(viewOf('has_arrays')?.cell(row))
    expect(screen.getByText(shown)).toBeVisible()
    expect(plainCell('has_arrays', row)).toBe(copied)
  })
})

describe('column of metrics', () => {
  it.each([
    ['f1', 'F1'],
    ['F1_score', 'F1'],
    ['f1_macro', 'F1 (f1_macro)'],
  ])('%s, told apart from other averages over the classes, is %s', (metric, shown) => {
    render(viewOf('metric')?.cell({ ...prediction(0), metric }))
    expect(screen.getByText(shown)).toBeVisible()
  })
})

describe('column of test scores', () => {
  it.each([
    ['a row of validation samples', { partition: 'val', test_score: 0 }, true],
    ['a row of test samples', { partition: 'test', test_score: 0 }, false],
    ['another score', { partition: 'val', test_score: 0.1 }, false],
  ] as const)('a 0 that may stand for no test samples is marked: %s', (_, change, marked) => {
    const row: PredictionRow = { ...prediction(0), ...change }
    const view = viewOf('test_score')
    const { container } = render(view?.cell(row))
    expect(container.querySelector('.line-through') !== null).toBe(marked)
    expect(view?.title?.(row)?.includes('no test samples')).toBe(marked)
  })
})

describe('column of datasets', () => {
  it.each([
    ['', '‹empty name›'],
    [' ', '‹space›'],
    ['wheat ', 'wheat‹space›'],
  ])('%j is shown as in all other places, and copied as it is', (dataset_name, shown) => {
    const row: PredictionRow = { ...prediction(0), dataset_name }
    const view = viewOf('dataset_name')
    render(view?.cell(row))
    expect(screen.getByText(shown)).toBeVisible()
    expect(view?.title?.(row)).toBe(dataset_name === '' ? undefined : shown)
    expect(plainCell('dataset_name', row)).toBe(dataset_name)
  })
})
