import { render, screen, within } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import { TextProvider } from '../text/text.tsx'
import { ConfusionMatrix } from './confusion-matrix.tsx'

describe('confusion matrix', () => {
  it('has the names of its axes outside of what scrolls, and keeps the classes of rows and columns in sight', () => {
    const labels = Array.from({ length: 12 }, (_, label) => label)
    render(
      <TextProvider>
        <ConfusionMatrix labels={labels} counts={labels.map(() => labels)} />
      </TextProvider>,
    )
    const table = screen.getByRole('table', { name: 'True class ↓ · Predicted class →' })
    expect(table.parentElement).toHaveClass('overflow-auto')
    expect(table.parentElement).not.toContainElement(screen.getByText(/True class/))
    for (const role of ['columnheader', 'rowheader']) {
      expect(within(table).getByRole(role, { name: '11' })).toHaveClass('sticky')
    }
  })
})
