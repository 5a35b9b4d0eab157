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
