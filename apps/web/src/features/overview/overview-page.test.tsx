import type { DatasetOverview, PredictionRow } from '@nirs-workspace/types'
import { screen, within } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import { renderApp } from '../../../test/app.tsx'
import { overviewOf, prediction, unreadableFiles } from '../../../test/data.ts'

const openCard = async (dataset: Partial<DatasetOverview>, best: Partial<PredictionRow> = {}) => {
  const { sent } = renderApp('/', 'migrated', {
    'GET /overview': () => overviewOf(dataset),
    'GET /predictions': () => ({ rows: [{ ...prediction(0), ...best }], total: 1, offset: 0, metrics: ['rmse'] }),
  })
  const heading = await screen.findByRole('heading', { level: 3 })
  const card = heading.closest('li')
  if (card === null) throw new Error('the heading is not in a card')
  return { card: within(card), sent }
}

describe('dataset card', () => {
  it('ranks averages over folds before single folds', async () => {
    const { card, sent } = await openCard({}, { fold_kind: 'average', fold_id: 'w_avg', val_score: 0.3451 })
    expect(await card.findByText('all folds together (w_avg)')).toBeVisible()
    expect(card.getByText('0.3451', { selector: '.text-lg' })).toBeVisible()
    expect(card.queryByText('0.2100', { selector: '.text-lg' })).not.toBeInTheDocument()
    const question = sent.find((request) => request.path === '/predictions')?.query
    expect(question?.getAll('sort')).toEqual(['fold_kind:asc', 'val_score:asc'])
    expect(question?.getAll('fold_kind')).not.toContain('refit')
  })

  it('says when the best is one fold alone, or no cross-validation at all', async () => {
    const { card } = await openCard({}, { fold_kind: 'fold', fold_id: '2', val_score: 0.21 })
    expect(await card.findByText('fold 2 alone')).toBeVisible()
    expect(card.getByText('Best single fold')).toBeVisible()
  })

  it('does not call scores RMSECV of which some may be of no cross-validation', async () => {
    const { card } = await openCard({}, { fold_kind: 'single', fold_id: '', val_score: 0.21 })
    expect(await card.findByText('no cross-validation')).toBeVisible()
    expect(card.queryByText(/RMSECV/)).not.toBeInTheDocument()
    expect(card.queryByRole('img', { name: /RMSECV/ })).not.toBeInTheDocument()
    expect(card.getByRole('img', { name: /Validation scores, RMSE,/ })).toBeVisible()
  })

  it('takes spellings of one metric for one', async () => {
    const { card, sent } = await openCard({ metrics: ['rmse', 'RMSE', 'r2'] }, { fold_kind: 'average', fold_id: 'avg', val_score: 0.3 })
    expect(await card.findByText('0.3000', { selector: '.text-lg' })).toBeVisible()
    expect(sent.find((request) => request.path === '/predictions')?.query.getAll('metric')).toEqual(['rmse', 'RMSE'])
    expect(card.queryByText(/Also scored by RMSE/)).not.toBeInTheDocument()
  })

  it('says that no finite score exists', async () => {
    const { card } = await openCard({ best_cv: [], scores: [] })
    expect(card.getByText('No finite cross-validation score is stored, so there is nothing to rank.')).toBeVisible()
    expect(card.queryByText(/unknown/)).not.toBeInTheDocument()
  })

  it('says that a metric of unknown direction is not ranked', async () => {
    const { card } = await openCard({ best_cv: [], metrics: ['my_metric'] })
    expect(card.getByText(/unknown whether more or less my_metric is better/)).toBeVisible()
  })

  it('writes extremes as powers of ten and the ends of the strip in full', async () => {
    const { card } = await openCard({ scores: [0.3412, 1e300] }, { fold_kind: 'average', fold_id: 'avg', val_score: 1e300 })
    expect(await card.findByText('all folds together (avg)')).toBeVisible()
    expect(card.getAllByText('1.000e300')).toHaveLength(2)
    expect(card.getByText('0.3412')).toBeVisible()
  })

  it('names a dataset without a name', async () => {
    const { card } = await openCard({ dataset_name: '' })
    expect(card.getByRole('heading', { name: '‹empty name›' })).toBeVisible()
  })
})

describe('array files that cannot be read', () => {
  it('are named with their datasets and how many predictions they concern, and the way to the check', async () => {
    renderApp('/', 'migrated', { 'GET /overview': () => ({ ...overviewOf({ arrays: 0 }), unreadable_files: unreadableFiles }) })
    expect(await screen.findByText('2 array files cannot be read: the values of 769 predictions are not shown.')).toBeVisible()
    const files = within(screen.getByRole('list', { name: 'Array files that cannot be read' })).getAllByRole('listitem')
    expect(files[0]).toHaveTextContent(/arrays\/wheat\.parquet\s*damaged\s*wheat · 768 predictions/)
    expect(files[1]).toHaveTextContent(/arrays\/soil_pH\.parquet\s*not there\s*soil pH · 1 prediction$/)
    expect(screen.getByText(/Restore the files from a backup/)).toBeVisible()
    expect(screen.getByRole('link', { name: 'Go to the check' })).toHaveAttribute('href', expect.stringContaining('/settings/storage'))
    expect(screen.getByText('769 cannot be read')).toBeVisible()
    expect(screen.getByText('arrays unreadable').closest('p')).not.toHaveTextContent(/with arrays/)
  })

  it('are not spoken of when all can be read', async () => {
    renderApp('/', 'migrated', { 'GET /overview': () => overviewOf({}) })
    await screen.findByRole('heading', { level: 3 })
    expect(screen.queryByText(/cannot be read/)).not.toBeInTheDocument()
  })
})
