import { PredictionDetail } from '@nirs-workspace/types'
import { act, cleanup, fireEvent, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { problem, renderApp, type Sent, totalRows } from '../../../test/app.tsx'
import { prediction } from '../../../test/data.ts'

const openGrid = async (address = '/predictions', answers = {}) => {
  const app = renderApp(address, 'migrated', answers)
  const grid = await screen.findByRole('grid')
  return { ...app, grid, user: userEvent.setup() }
}

/** Tells everything that follows its size that it is this wide now. */
const resizable = () => {
  const { ResizeObserver } = globalThis
  const told = new Set<() => void>()
  vi.stubGlobal(
    'ResizeObserver',
    class extends ResizeObserver {
      constructor(tell: ResizeObserverCallback) {
        super(tell)
        told.add(() => tell([], this))
      }
    },
  )
  const width = vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get')
  onTestFinished(() => {
    width.mockRestore()
    vi.stubGlobal('ResizeObserver', ResizeObserver)
  })
  return (to: number): void => {
    width.mockReturnValue(to)
    act(() => {
      for (const tell of told) tell()
    })
  }
}

describe('predictions page', () => {
  it('shows the exact total and tells screen readers about all rows', async () => {
    const { grid } = await openGrid()
    expect(screen.getByText(/^1.536 predictions$/)).toBeVisible()
    expect(grid).toHaveAttribute('aria-rowcount', String(totalRows + 1))
    expect(screen.getAllByRole('columnheader').at(5)).toHaveTextContent('RMSECV')
  })

  it('shows no total of another filter when the server is gone, and says so in words of ours', async () => {
    let gone = false
    const unlessGone = (answer: unknown) => {
      if (gone) throw new TypeError('Failed to fetch')
      return answer
    }
    const page = { rows: [prediction(0)], total: 1, offset: 0, metrics: ['rmse'] }
    const { user } = await openGrid('/predictions', {
      'GET /predictions': () => unlessGone(page),
      'GET /predictions/facets': () =>
        unlessGone({ total: 1, facets: { partition: { values: [{ value: 'val', count: 1 }], distinct: 1 } } }),
      'GET /predictions/histogram': () =>
        unlessGone({ column: 'val_score', bins: [], nulls: 1, non_finite: 0, placeholders: 0, times: null }),
    })
    expect(screen.getByText('1 prediction')).toBeVisible()
    const filter = await screen.findByRole('checkbox', { name: /^val/ })
    gone = true
    await user.click(filter)
    expect((await screen.findAllByText(/NIRS Workspace is not running any more/)).length).toBeGreaterThan(1)
    expect(screen.queryByText(/1 prediction$/)).not.toBeInTheDocument()
    expect(screen.queryByText('Refreshing…')).not.toBeInTheDocument()
    expect(screen.queryByText(/Failed to fetch/)).not.toBeInTheDocument()
  })

  it('takes two spellings of a metric for one, and tells their filters apart', async () => {
    await openGrid('/predictions?metric=r2&metric=R2', {
      'GET /predictions': () => ({ rows: [{ ...prediction(0), metric: 'r2' }], total: 1, offset: 0, metrics: ['R2', 'r2'] }),
    })
    expect(screen.queryByText(/different metrics/)).not.toBeInTheDocument()
    const header = screen.getByRole('columnheader', { name: /Val score/ })
    expect(within(header).getByTitle(/^R²: /)).toBeInTheDocument()
    expect(screen.getByRole('button', { name: 'Remove filter Metric: R² (r2)' })).toBeVisible()
    expect(screen.getByRole('button', { name: 'Remove filter Metric: R² (R2)' })).toBeVisible()
  })

  it('names a metric without a name among others', async () => {
    await openGrid('/predictions', {
      'GET /predictions': () => ({ rows: [prediction(0)], total: 1, offset: 0, metrics: ['', 'R2', 'r2', 'f1_macro', 'f1_micro'] }),
    })
    expect(screen.getByText(/in different metrics \(\(empty\), R², F1 \(f1_macro\), F1 \(f1_micro\)\)/)).toBeVisible()
  })

  it('tells NaN, no value and not loaded apart', async () => {
    await openGrid()
    expect(await screen.findByText('NaN')).toBeVisible()
    expect(screen.getByText('no value')).toBeInTheDocument()
  })

  it('moves by keyboard to the last row, fetching its block, with one tab stop', async () => {
    const { grid, user, sent } = await openGrid()
    await user.click(screen.getByText('PLS-0'))
    await user.keyboard('{Control>}{End}{/Control}')
    expect(document.activeElement?.closest('[role=row]')).toHaveAttribute('aria-rowindex', String(totalRows + 1))
    await waitFor(() => expect(sent.some((request) => request.query.get('offset') === '1400')).toBe(true))
    expect(grid.querySelectorAll('[tabindex="0"]')).toHaveLength(1)
  })

  it('sorts by a header: up, down, off; the order is in the address', async () => {
    const { router, user, sent } = await openGrid()
    const header = () => screen.getByRole('columnheader', { name: /RMSECV/ })
    await user.click(header())
    expect(header()).toHaveAttribute('aria-sort', 'ascending')
    await waitFor(() => expect(sent.at(-1)?.query.getAll('sort') ?? []).toBeDefined())
    expect(router.state.location.searchStr).toBe('?workspace=w1&sort=val_score:asc')
    await user.click(header())
    expect(router.state.location.searchStr).toBe('?workspace=w1&sort=val_score:desc')
    await user.click(header())
    expect(router.state.location.searchStr).toBe('?workspace=w1')
    expect(sent.some((request) => request.path === '/predictions' && request.query.get('sort') === 'val_score:desc')).toBe(true)
  })

  it('opens a row beside the table, follows the cursor, and closes with Esc', async () => {
    const { router, user } = await openGrid()
    await user.click(screen.getByText('PLS-0'))
    await user.keyboard('{Enter}')
    expect(await screen.findByRole('img', { name: /Predicted against measured values, val/ })).toBeVisible()
    await user.keyboard('{ArrowDown}')
    await waitFor(() => expect(router.state.location.search).toMatchObject({ peek: 'p1', at: '2' }))
    await user.keyboard('{Escape}')
    await waitFor(() => expect(router.state.location.search).not.toHaveProperty('peek'))
  })

  it('keeps keys in the table when the column of the cursor gives way to an open row', async () => {
    const resize = resizable()
    const { router, user } = await openGrid('/predictions?dataset_name=wheat')
    const header = () => screen.getAllByRole('columnheader')[0]?.textContent
    const focused = () => document.activeElement?.getAttribute('data-column')
    await user.click(screen.getByText('PLS-0'))
    await user.keyboard('{Home}{Enter}')
    await screen.findByRole('complementary', { name: 'Prediction' })
    expect([header(), focused()]).toEqual(['Dataset', '0'])
    resize(700)
    expect([header(), focused()]).toEqual(['Model', '0'])
    await user.keyboard('{ArrowDown}')
    await waitFor(() => expect(router.state.location.search).toMatchObject({ peek: 'p1', at: '2' }))
    resize(1200)
    expect([header(), focused()]).toEqual(['Dataset', '1'])
    await user.keyboard('{End}')
    const last = Number(focused())
    resize(700)
    expect(focused()).toBe(String(last - 1))
    await user.keyboard('{Escape}')
    await waitFor(() => expect(router.state.location.search).not.toHaveProperty('peek'))
  })

  it('moves and copies columns in the order in which they are seen where room is tight', async () => {
    const resize = resizable()
    const { user } = await openGrid('/predictions?dataset_name=wheat&sort=test_score:asc')
    const names = () => screen.getAllByRole('columnheader').map((header) => header.textContent.replace(/\W*min.*/, ''))
    resize(700)
    const before = names()
    expect(before.slice(0, 6)).toEqual(['Model', 'Preprocessing', 'Partition', 'Fold', 'RMSEP', 'RMSECV'])
    await user.click(screen.getByText('PLS-0'))
    await user.keyboard('{Control>}c{/Control}')
    expect(await navigator.clipboard.readText()).toMatch(/^Model\tPreprocessing\tPartition\tFold\tTest score\tVal score\t.*\nPLS-0\t/)
    screen.getByRole('columnheader', { name: /RMSECV/ }).focus()
    await user.keyboard('{Alt>}{Shift>}{ArrowLeft}{/Shift}{/Alt}')
    await waitFor(() => expect(names().slice(0, 6)).toEqual(['Model', 'Preprocessing', 'Partition', 'Fold', 'RMSECV', 'RMSEP']))
    expect(names().slice(6)).toEqual([...before.slice(6), 'Dataset'])
    localStorage.clear()
  })

  it('moves the cursor with its column, and no row with it', async () => {
    const { grid, router, user } = await openGrid()
    const focused = () => document.activeElement?.getAttribute('data-column')
    await user.click(screen.getByText('PLS-0'))
    grid.scrollTop = 9000
    fireEvent.scroll(grid)
    await act(() => router.navigate({ to: '/predictions', search: { cols: 'partition,dataset_name,model_name' } }))
    expect(focused()).toBe('2')
    expect(grid.scrollTop).toBe(9000)
    await act(() => router.navigate({ to: '/predictions', search: { cols: 'partition,dataset_name' } }))
    expect(focused()).toBe('1')
    expect(grid.querySelectorAll('[tabindex="0"]')).toHaveLength(1)
  })

  it('marks the row of a link without its place, and puts the cursor there; no other row when nobody knows where it is', async () => {
    const marked = () => screen.queryAllByRole('row').filter((row) => row.getAttribute('aria-current') === 'true')
    const cursor = () => document.querySelector('[data-cursor]')?.closest('[role=row]')
    await openGrid('/predictions?peek=p7')
    await waitFor(() => expect(marked().map((row) => row.getAttribute('aria-rowindex'))).toEqual(['9']))
    expect(cursor()).toHaveAttribute('aria-rowindex', '9')
    cleanup()
    await openGrid('/predictions?peek=p700')
    await screen.findByRole('img', { name: /Predicted against measured values/ })
    expect(marked()).toEqual([])
    expect(cursor()).toHaveAttribute('aria-rowindex', '1')
    cleanup()
    await openGrid('/predictions?peek=p7&at=3')
    await waitFor(() => expect(marked().map((row) => row.getAttribute('aria-rowindex'))).toEqual(['9']))
  })

  it('names an id of a link that is not here', async () => {
    await openGrid('/predictions?peek=doesnotexist', {
      'GET /predictions/:id': () => problem(404, 'prediction_not_found', 'No prediction has this id.'),
    })
    expect(await screen.findByText(/^There is no prediction doesnotexist here/)).toBeVisible()
  })

  it('filters by a facet and drops the filter by its chip', async () => {
    const { user, sent } = await openGrid()
    await user.click(await screen.findByRole('checkbox', { name: /wheat/ }))
    await waitFor(() =>
      expect(sent.some((request) => request.path === '/predictions' && request.query.get('dataset_name') === 'wheat')).toBe(true),
    )
    await user.click(screen.getByRole('button', { name: 'Remove filter Dataset: wheat' }))
    expect(screen.queryByRole('button', { name: /Remove filter/ })).not.toBeInTheDocument()
  })

  it('names what an address asks for that is not known, also after other changes, until the notice is closed', async () => {
    const { router, user } = await openGrid('/predictions?datset_name=rye&val_score_min=low')
    const notice = () => screen.queryByText(/is not known here and was left out: datset_name=rye, val_score_min=low/)
    expect(notice()).toBeVisible()
    await user.click(screen.getByRole('columnheader', { name: /RMSECV/ }))
    expect(notice()).toBeVisible()
    // A sign closes the words that may still be there from another test.
    await user.click(screen.getByText('Close'))
    await waitFor(() => expect(notice()).not.toBeInTheDocument())
    expect(router.state.location.searchStr).toBe('?workspace=w1&sort=val_score:asc')
  })

  it('offers to leave refits out when their zeros stand first', async () => {
    const refit = { ...prediction(0), fold_id: 'final', fold_kind: 'refit', val_score: 0 }
    const kinds = ['fold', 'average', 'refit'].map((value) => ({ value, count: 3 }))
    const { router } = renderApp('/predictions?sort=val_score:asc', 'migrated', {
      'GET /predictions': () => ({ rows: [refit], total: 1, offset: 0, metrics: ['rmse'] }),
      'GET /predictions/facets': () => ({ total: 1, facets: { fold_kind: { values: kinds, distinct: 3 } } }),
    })
    await userEvent.click(await screen.findByRole('button', { name: 'Leave refits out' }))
    await waitFor(() => expect(router.state.location.search).toMatchObject({ fold_kind: ['fold', 'average'] }))
    expect(screen.queryByText(/Refits have no validation score\. nirs4all/)).not.toBeInTheDocument()
  })

  it.each([
    ['fold', 'refit', 'RMSECV'],
    ['average', 'single', 'Val score'],
    ['other', 'refit', 'Val score'],
  ])('heads validation scores of the kinds %s and %s %s', async (one, other, label) => {
    const values = [one, other].map((value) => ({ value, count: 3 }))
    await openGrid('/predictions', { 'GET /predictions/facets': () => ({ total: 6, facets: { fold_kind: { values, distinct: 2 } } }) })
    await waitFor(() => expect(screen.getAllByRole('columnheader').at(5)).toHaveTextContent(label))
  })

  it('goes on calling them RMSECV when a range has chosen the kinds that have a validation score', async () => {
    const values = ['fold', 'average', 'refit'].map((value) => ({ value, count: 3 }))
    const kinds = ['fold', 'average', 'single', 'other'].map((kind) => `fold_kind=${kind}`).join('&')
    await openGrid(`/predictions?val_score_min=0.1&${kinds}`, {
      'GET /predictions/facets': () => ({ total: 6, facets: { fold_kind: { values, distinct: 3 } } }),
    })
    await waitFor(() => expect(screen.getAllByRole('columnheader').at(5)).toHaveTextContent('RMSECV'))
  })

  it('says what zeros first among test scores may be, and offers the rows of test samples', async () => {
    const row = { ...prediction(0), partition: 'val', test_score: 0 }
    const values = ['val', 'test'].map((value) => ({ value, count: 3 }))
    const { router } = renderApp('/predictions?sort=test_score:asc', 'migrated', {
      'GET /predictions': () => ({ rows: [row], total: 1, offset: 0, metrics: ['rmse'] }),
      'GET /predictions/facets': () => ({ total: 1, facets: { partition: { values, distinct: 2 } } }),
    })
    await userEvent.click(await screen.findByRole('button', { name: 'Show only the partition test' }))
    await waitFor(() => expect(router.state.location.search).toMatchObject({ partition: 'test' }))
    // The row that came is still one of the partition val; a chosen partition leaves the sentence alone.
    expect(screen.getByText(/zeros first in this order/)).toBeVisible()
    expect(screen.queryByRole('button', { name: 'Show only the partition test' })).not.toBeInTheDocument()
  })

  it('copies no row of before a change beside rows of now, and says that some are missing', async () => {
    const { client, user } = await openGrid()
    await user.click(screen.getByText('PLS-0'))
    await user.keyboard('{Control>}{Shift>}{End}{/Shift}{/Control}')
    await screen.findByText(`PLS-${totalRows - 1}`)
    await act(() => client.invalidateQueries({ queryKey: ['/predictions'] }))
    await user.keyboard('{Control>}c{/Control}')
    expect(await screen.findByText(/^Copied the .+ rows that are loaded/)).toBeVisible()
    const copied = await navigator.clipboard.readText()
    expect(copied).toContain(`PLS-${totalRows - 1}\t`)
    expect(copied).not.toContain('PLS-0\t')
  })

  it('copies nothing, and says nothing of rows, from the header', async () => {
    const { user } = await openGrid()
    await user.click(screen.getByText('PLS-0'))
    await navigator.clipboard.writeText('of before')
    await user.keyboard('{ArrowUp}{Control>}c{/Control}')
    expect(document.activeElement).toHaveAttribute('role', 'columnheader')
    expect(await navigator.clipboard.readText()).toBe('of before')
    expect(screen.queryByText(/^Nothing was copied/)).not.toBeInTheDocument()
  })

  it('leaves the clipboard alone, and says so, while every row is asked for again', async () => {
    const answer = Promise.withResolvers<void>()
    let isSlow = false
    const { client, user } = await openGrid('/predictions', {
      'GET /predictions': async () => {
        if (isSlow) await answer.promise
        return { rows: [prediction(0)], total: 1, offset: 0, metrics: ['rmse'] }
      },
    })
    await user.click(screen.getByText('PLS-0'))
    await navigator.clipboard.writeText('of before')
    isSlow = true
    act(() => void client.invalidateQueries({ queryKey: ['/predictions'] }))
    await user.keyboard('{Control>}c{/Control}')
    expect(await screen.findByText(/^Nothing was copied: these rows are being read again/)).toBeVisible()
    expect(await navigator.clipboard.readText()).toBe('of before')
    answer.resolve()
  })

  it('says that rows have to be scrolled through which changed out of sight, as nobody reads them', async () => {
    const { client, grid, user } = await openGrid()
    await user.click(screen.getByText('PLS-0'))
    await user.keyboard('{Shift>}{ArrowDown}{/Shift}')
    grid.scrollTop = 9000
    fireEvent.scroll(grid)
    await waitFor(() => expect(screen.queryByText('PLS-5')).not.toBeInTheDocument())
    // The rows there are asked for a little later than they come into sight.
    expect((await screen.findAllByText(/^PLS-3\d\d$/)).length).toBeGreaterThan(0)
    await act(() => client.invalidateQueries({ queryKey: ['/predictions'] }))
    await waitFor(() => expect(client.isFetching()).toBe(0))
    await user.keyboard('{Control>}c{/Control}')
    expect(await screen.findByText(/^Nothing was copied: none of these rows is loaded as it is now\./)).toBeVisible()
  })

  it('draws the rows of another order faintly until those of this one are there, but not rows that are asked for again', async () => {
    let answer = Promise.resolve()
    const { client, router } = await openGrid('/predictions', {
      'GET /predictions': async () => {
        await answer
        return { rows: [prediction(0)], total: 1, offset: 0, metrics: ['rmse'] }
      },
    })
    const isFaint = () => screen.getByText('PLS-0').closest('[role=row]')?.className.includes('opacity-50')
    const slowly = async (work: () => unknown): Promise<boolean | undefined> => {
      const later = Promise.withResolvers<void>()
      answer = later.promise
      act(() => void work())
      await waitFor(() => expect(client.isFetching({ queryKey: ['/predictions'] })).toBe(1))
      const seen = isFaint()
      later.resolve()
      await waitFor(() => expect(client.isFetching()).toBe(0))
      return seen
    }
    expect(await slowly(() => client.invalidateQueries({ queryKey: ['/predictions'] }))).toBe(false)
    expect(await slowly(() => router.navigate({ to: '/predictions', search: { sort: ['val_score:desc'] } }))).toBe(true)
    expect(isFaint()).toBe(false)
  })

  it('goes to the last row that there is, with the focus and what is selected, when the rows become fewer', async () => {
    let total = totalRows
    const { client, grid, user } = await openGrid(`/predictions?at=${totalRows}`, {
      'GET /predictions': ({ query }: Sent) => {
        const offset = Number(query.get('offset'))
        const rows = Array.from({ length: Math.max(0, Math.min(200, total - offset)) }, (_, step) => prediction(offset + step))
        return { rows, total, offset, metrics: ['rmse'] }
      },
    })
    const focused = () => document.activeElement?.closest('[role=row]')?.getAttribute('aria-rowindex')
    await user.click(await screen.findByText(`PLS-${totalRows - 1}`))
    await user.keyboard('{Control>}{Home}{/Control}{Control>}{Shift>}{End}{/Shift}{/Control}')
    expect(focused()).toBe(String(totalRows + 1))
    total = 3
    await act(() => client.invalidateQueries({ queryKey: ['/predictions'] }))
    await waitFor(() => expect(grid).toHaveAttribute('aria-rowcount', '4'))
    expect(focused()).toBe('4')
    expect(screen.getByRole('button', { name: 'Copy 3 rows' })).toBeVisible()
    expect(screen.getByTitle('Row 3 of 3')).toBeInTheDocument()
    expect(grid.querySelectorAll('[tabindex="0"]')).toHaveLength(1)
  })

  it('keeps the focus where keys go on when the panel beside the table, or that of the filters, closes', async () => {
    const { router, user } = await openGrid()
    await user.click(screen.getByText('PLS-0'))
    await user.keyboard('{Enter}')
    const panel = await screen.findByRole('complementary', { name: 'Prediction' })
    await user.click(await within(panel).findByRole('tab', { name: 'Folds' }))
    await user.keyboard('{Escape}')
    await waitFor(() => expect(panel).not.toBeInTheDocument())
    expect(document.activeElement?.closest('[role=row]')).toHaveAttribute('aria-rowindex', '2')
    expect(router.state.location.search).not.toHaveProperty('at')
    await user.click(within(screen.getByRole('complementary', { name: 'Filters' })).getByRole('button', { name: 'Hide filters' }))
    expect(screen.getByRole('button', { name: 'Show filters' })).toHaveFocus()
  })

  it('opens a row beside the table that the cursor went to before it was loaded', async () => {
    const { router, user } = await openGrid()
    await user.click(screen.getByText('PLS-0'))
    await user.keyboard('{Enter}')
    await screen.findByRole('complementary', { name: 'Prediction' })
    await user.keyboard('{Control>}{End}{/Control}')
    await waitFor(() => expect(router.state.location.search).toMatchObject({ peek: `p${totalRows - 1}`, at: String(totalRows) }))
  })

  it('opens no row that was waited for once the panel is closed by the back button', async () => {
    const far = Promise.withResolvers<void>()
    const { client, router, user } = await openGrid('/predictions', {
      'GET /predictions': async ({ query }: Sent) => {
        const offset = Number(query.get('offset'))
        if (offset > 0) await far.promise
        return { rows: Array.from({ length: 200 }, (_, step) => prediction(offset + step)), total: 2000, offset, metrics: ['rmse'] }
      },
    })
    await user.click(screen.getByText('PLS-0'))
    await user.keyboard('{Enter}')
    const panel = await screen.findByRole('complementary', { name: 'Prediction' })
    await user.keyboard('{Control>}{End}{/Control}')
    await waitFor(() => expect(client.isFetching({ queryKey: ['/predictions'] })).toBe(1))
    act(() => router.history.back())
    await waitFor(() => expect(panel).not.toBeInTheDocument())
    far.resolve()
    expect(await screen.findByText('PLS-1999')).toBeVisible()
    expect(router.state.location.search).not.toHaveProperty('peek')
  })

  it('goes as many rows on as "Next row" was clicked, however quickly, and starts from the row of the address after the back button', async () => {
    const { router } = await openGrid('/predictions?peek=p0&at=1')
    const next = await screen.findByRole('button', { name: 'Next row' })
    for (let times = 0; times < 3; times += 1) fireEvent.click(next)
    await waitFor(() => expect(router.state.location.search).toMatchObject({ peek: 'p3', at: '4' }))
    await act(() => router.navigate({ to: '/predictions', search: { peek: 'p7', at: 8 } }))
    act(() => router.history.back())
    await waitFor(() => expect(router.state.location.search).toMatchObject({ peek: 'p3' }))
    fireEvent.click(next)
    await waitFor(() => expect(router.state.location.search).toMatchObject({ peek: 'p4', at: '5' }))
  })

  it('steps on from the row that is shown, not from where the cursor was left', async () => {
    const { router, user } = await openGrid('/predictions?peek=p3&at=4', {
      'GET /predictions/:id': () =>
        PredictionDetail.parse({ ...prediction(3), scores: {}, params: {}, arrays_state: 'stored', siblings: [prediction(7)] }),
    })
    await user.click(await screen.findByRole('tab', { name: 'Folds' }))
    await user.click(await screen.findByRole('button', { name: 'Fold 2, val' }))
    await waitFor(() => expect(router.state.location.search).toMatchObject({ peek: 'p7' }))
    await user.click(screen.getByRole('button', { name: 'Next row' }))
    await waitFor(() => expect(router.state.location.search).toMatchObject({ peek: 'p8', at: '9' }))
  })

  it('pins, moves and leaves out columns; the address and the next visit keep it', async () => {
    const { router, user } = await openGrid()
    const names = () => screen.getAllByRole('columnheader').map((header) => header.textContent)
    await user.click(screen.getByRole('button', { name: 'Columns' }))
    await user.click(await screen.findByRole('button', { name: 'Pin Metric to the left' }))
    await waitFor(() => expect(names()[0]).toBe('Metric'))
    await user.click(screen.getByRole('button', { name: 'Move Model up' }))
    await waitFor(() => expect(names().slice(0, 3)).toEqual(['Metric', 'Model', 'Dataset']))
    expect(screen.getByRole('button', { name: 'Move Model up' })).toHaveFocus()
    await user.click(screen.getByRole('checkbox', { name: 'Only columns that differ' }))
    await waitFor(() => expect(names()).not.toContain('Dataset'))
    expect(screen.getByText('The same in every row:').parentElement).toHaveTextContent(/Dataset wheat/)
    expect(router.state.location.search).toMatchObject({ pin: 'metric', differ: 'only' })
    await user.keyboard('{Escape}')
    await user.click(screen.getByRole('link', { name: 'Overview' }))
    await user.click(screen.getByRole('link', { name: 'Predictions' }))
    await waitFor(() => expect(router.state.location.search).toMatchObject({ pin: 'metric', differ: 'only' }))
    localStorage.clear()
  })

  it('a search that is taken away by its chip takes the place of the row of the address with it', async () => {
    const { router, user } = await openGrid('/predictions?q=PLS&peek=p3&at=4')
    await user.click(await screen.findByRole('button', { name: /Search: PLS/ }))
    await waitFor(() => expect(router.state.location.search).toEqual({ workspace: 'w1', peek: 'p3' }))
  })

  it('the back button takes a search away and leaves the filter that came before it; what is typed in one go is one step', async () => {
    const { router, user } = await openGrid()
    const search = () => router.state.location.searchStr.replace('&workspace=w1', '')
    await act(() => router.navigate({ to: '/predictions', search: { partition: ['val'] } }))
    const box = screen.getByRole('searchbox')
    await user.type(box, 'PLS')
    await waitFor(() => expect(search()).toBe('?partition=val&q=PLS'))
    await user.type(box, '-3')
    await waitFor(() => expect(search()).toBe('?partition=val&q=PLS-3'))
    act(() => router.history.back())
    await waitFor(() => expect(search()).toBe('?partition=val'))
    expect(box).toHaveValue('')
    await user.type(box, 'SVR')
    await user.tab()
    await waitFor(() => expect(search()).toBe('?partition=val&q=SVR'))
    act(() => router.history.back())
    await waitFor(() => expect(search()).toBe('?partition=val'))
  })

  it('says that a link filters everything away, and offers the way back', async () => {
    renderApp('/predictions?dataset_name=rye', 'migrated', { 'GET /predictions': () => ({ rows: [], total: 0, offset: 0, metrics: [] }) })
    expect(await screen.findByText('Nothing matches these filters')).toBeVisible()
    expect(screen.getAllByRole('button', { name: 'Clear all filters' }).length).toBeGreaterThan(0)
  })

  it('explains an error and tries again', async () => {
    let failing = true
    renderApp('/predictions', 'migrated', {
      'GET /predictions': () =>
        failing ? problem(500, 'internal', 'The catalog process stopped.') : { rows: [], total: 0, offset: 0, metrics: [] },
    })
    expect(await screen.findByText('The catalog process stopped.')).toBeVisible()
    failing = false
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }))
    expect(await screen.findByText('No predictions yet')).toBeVisible()
  })
})
