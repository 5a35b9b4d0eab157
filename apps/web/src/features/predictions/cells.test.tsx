import type { PredictionRow } from '@nirs-workspace/types'
import { render, screen } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import { prediction } from '../../../test/data.ts'
import { makeFormatters } from '../../lib/format.ts'
import { en } from '../../text/en.ts'
import { columnViews, plainCell } from './cells.tsx'
import { gridColumns } from './columns.ts'

const format = makeFormatters('en')
const [arrays] = columnViews(
  gridColumns.filter(({ id }) => id === 'has_arrays'),
  [],
  {},
  en(format),
  format,
)

describe('column of arrays', () => {
  it.each([
    ['stored', true, 'yes', 'true'],
    ['none', false, 'no', 'false'],
    ['unreadable', false, 'unreadable', 'unreadable'],
  ] as const)('arrays that are %s', (arrays_state, has_arrays, shown, copied) => {
    const row: PredictionRow = { ...prediction(0), has_arrays, arrays_state }
    render(arrays?.cell(row))
    expect(screen.getByText(shown)).toBeVisible()
    expect(plainCell('has_arrays', row)).toBe(copied)
  })
})
