import { Facets } from '@nirs-workspace/types'
import { act, fireEvent, renderHook, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it, vi } from 'vitest'
import { renderApp } from '../../../test/app.tsx'
import { useLanguage } from '../../text/text.tsx'

const mixed = Facets.parse({
  total: 9,
  facets: {
    metric: {
      values: [
        { value: 'rmse', count: 6 },
        { value: 'balanced_accuracy', count: 3 },
      ],
      distinct: 2,
    },
  },
})

describe('distribution of a score', () => {
  it('shows one metric at a time, never a refit, and a range is one of that metric', async () => {
    const { sent, router } = renderApp('/predictions', 'migrated', { 'GET /predictions/facets': () => mixed })
    const user = userEvent.setup()
    const choice = await screen.findByRole('combobox', { name: 'Metric of Val score' })
    const asked = () => sent.filter((request) => request.path === '/predictions/histogram' && request.query.get('column') === 'val_score')
    await waitFor(() => expect(asked().at(-1)?.query.get('metric')).toBe('rmse'))
    expect(asked().every((request) => !request.query.getAll('fold_kind').includes('refit'))).toBe(true)
    await user.selectOptions(choice, 'Balanced accuracy')
    await waitFor(() => expect(asked().at(-1)?.query.get('metric')).toBe('balanced_accuracy'))
    await user.type(screen.getByRole('textbox', { name: 'Val score: Minimum' }), '0,8{Enter}')
    await waitFor(() => expect(router.state.location.search).toMatchObject({ metric: 'balanced_accuracy', val_score_min: '0.8' }))
  })

  it('takes two spellings of a metric for one, and a range is one of both', async () => {
    const spelled = Facets.parse({
      total: 9,
      facets: { metric: { values: ['r2', 'rmse', 'R2'].map((value) => ({ value, count: 3 })), distinct: 3 } },
    })
    const { sent, router } = renderApp('/predictions', 'migrated', { 'GET /predictions/facets': () => spelled })
    const user = userEvent.setup()
    const choice = await screen.findByRole('combobox', { name: 'Metric of Val score' })
    expect(
      within(choice)
        .getAllByRole('option')
        .map((option) => option.textContent),
    ).toEqual(['R²', 'RMSE'])
    await waitFor(() =>
      expect(sent.some(({ path, query }) => path === '/predictions/histogram' && query.getAll('metric').join() === 'r2,R2')).toBe(true),
    )
    await user.type(screen.getByRole('textbox', { name: 'Val score: Minimum' }), '0.8{Enter}')
    await waitFor(() => expect(router.state.location.search).toMatchObject({ metric: ['r2', 'R2'], val_score_min: '0.8' }))
  })

  it('takes rows without a metric for those of another one', async () => {
    const some = Facets.parse({
      total: 9,
      facets: {
        metric: {
          values: [
            { value: 'rmse', count: 6 },
            { value: null, count: 3 },
          ],
          distinct: 2,
        },
      },
    })
    const { sent, router } = renderApp('/predictions', 'migrated', { 'GET /predictions/facets': () => some })
    const user = userEvent.setup()
    const choice = await screen.findByRole('combobox', { name: 'Metric of Val score' })
    const asked = () => sent.filter((request) => request.path === '/predictions/histogram' && request.query.get('column') === 'val_score')
    await waitFor(() => expect(asked().at(-1)?.query.get('metric')).toBe('rmse'))
    await user.selectOptions(choice, '')
    await waitFor(() => expect(asked().at(-1)?.query.getAll('metric')).toEqual(['']))
    await user.type(screen.getByRole('textbox', { name: 'Val score: Minimum' }), '0.8{Enter}')
    await waitFor(() => expect(router.state.location.search).toMatchObject({ metric: '', val_score_min: '0.8' }))
    await waitFor(() => expect(sent.findLast(({ path }) => path === '/predictions')?.query.getAll('metric')).toEqual(['']))
  })

  it('refuses what is no number at its field, with a reason, and leaves every filter as it is', async () => {
    const { router } = renderApp('/predictions?val_score_max=2', 'migrated', { 'GET /predictions/facets': () => mixed })
    const user = userEvent.setup()
    const min = await screen.findByRole('textbox', { name: 'Val score: Minimum' })
    for (const bad of ['abc', 'abc1e400', '1e400', '1,234.5', '1,234', '0x1', '1 00', 'Infinity']) {
      await user.clear(min)
      await user.type(min, `${bad}{Enter}`)
      expect(min).toHaveValue(bad)
      expect(min).toBeInvalid()
      expect(min).toHaveAccessibleDescription(/^Not understood as a number/)
      expect(router.state.location.search).toEqual({ workspace: 'w1', val_score_max: '2' })
    }
    expect(screen.getByRole('textbox', { name: 'Val score: Maximum' })).toBeValid()
    await user.clear(min)
    expect(min).toBeValid()
    await user.type(min, '3{Enter}')
    expect(min).toBeInvalid()
    expect(min).toHaveAccessibleDescription('The minimum is above the maximum.')
    expect(router.state.location.search).toEqual({ workspace: 'w1', val_score_max: '2' })
    await user.clear(min)
    await user.type(min, '-1\u202f234.5{Enter}')
    await waitFor(() =>
      expect(router.state.location.search).toMatchObject({ metric: 'rmse', val_score_min: '-1234.5', val_score_max: '2' }),
    )
  })

  it('takes in French a decimal comma wherever it stands', async () => {
    const { result } = renderHook(useLanguage)
    act(() => result.current[1]('fr'))
    const { router } = renderApp('/predictions', 'migrated')
    const user = userEvent.setup()
    await user.type(await screen.findByRole('textbox', { name: 'Score val: Minimum' }), '1 234,567{Enter}')
    await waitFor(() => expect(router.state.location.search).toMatchObject({ val_score_min: '1234.567' }))
    act(() => result.current[1]('en'))
  })

  it('keeps the focus in its field when a bound is taken, and follows the address', async () => {
    const { router } = renderApp('/predictions', 'migrated')
    const user = userEvent.setup()
    const min = await screen.findByRole('textbox', { name: 'Val score: Minimum' })
    await user.type(min, '0.5{Enter}')
    await waitFor(() => expect(router.state.location.search).toMatchObject({ val_score_min: '0.5' }))
    expect(min).toHaveFocus()
    act(() => router.history.back())
    await waitFor(() => expect(min).toHaveValue(''))
  })

  it('shows the end of a bar as the number it is next to, and leaves it as it is until it is edited', async () => {
    const { router } = renderApp('/predictions?val_score_max=0.7999999999999999', 'migrated')
    const user = userEvent.setup()
    expect(await screen.findByRole('textbox', { name: 'Val score: Maximum' })).toHaveValue('0.8')
    expect(screen.getByRole('textbox', { name: 'Val score: Maximum' })).toHaveAttribute('title', '0.7999999999999999')
    expect(await screen.findByTitle('Val score: −∞ … 0.7999999999999999')).toHaveTextContent('Val score: −∞ … 0.8')
    expect(await screen.findByRole('button', { name: 'Remove filter Val score: −∞ … 0.8' })).toBeInTheDocument()
    await user.type(screen.getByRole('textbox', { name: 'Val score: Minimum' }), '0.5{Enter}')
    await waitFor(() => expect(router.state.location.search).toMatchObject({ val_score_min: '0.5', val_score_max: '0.7999999999999999' }))
    const max = screen.getByRole('textbox', { name: 'Val score: Maximum' })
    await user.clear(max)
    await user.type(max, '0.8{Enter}')
    await waitFor(() => expect(router.state.location.search).toMatchObject({ val_score_min: '0.5', val_score_max: '0.8' }))
  })

  it('says that there is no finite score instead of drawing a scale', async () => {
    renderApp('/predictions', 'migrated', {
      'GET /predictions/histogram': () => ({ column: 'val_score', bins: [], nulls: 5, non_finite: 2, placeholders: 0, times: null }),
    })
    expect((await screen.findAllByText('No finite score here (7 without).')).length).toBeGreaterThan(0)
  })

  it('says how many zeros of test scores are not drawn because they may stand for none', async () => {
    const bins = [{ min: 1, max: 2, count: 3 }]
    const answer = (of: object) => ({ column: 'test_score', bins, nulls: 1, non_finite: 0, placeholders: 4, times: null, ...of })
    renderApp('/predictions', 'migrated', {
      'GET /predictions/histogram': ({ query }) => answer(query.get('column') === 'test_score' ? {} : { bins: [] }),
    })
    expect(await screen.findByTitle('1 without a value, 0 not finite, 4 zeros that may stand for no test score')).toHaveTextContent('+5')
    expect(await screen.findByText('No test score here: the 4 zeros may stand for none.')).toBeInTheDocument()
  })
})

describe('dates', () => {
  const first = '2026-11-20T08:00:00.25'
  const last = '2026-11-21T18:00:00.5'
  const bins = [
    { min: Date.parse(`${first}Z`), max: Date.parse('2026-11-21T01:00Z'), count: 3 },
    { min: Date.parse('2026-11-21T01:00Z'), max: Date.parse(`${last}Z`), count: 5 },
  ]
  const answer = { nulls: 0, non_finite: 0, placeholders: 0 }
  const given = (times: object | null, drawn: readonly object[] = bins) => ({
    'GET /predictions/histogram': ({ query }: { query: URLSearchParams }) =>
      query.get('column') === 'created_at'
        ? { ...answer, column: 'created_at', bins: drawn, times }
        : { ...answer, column: 'val_score', bins: [], times: null },
  })
  const open = async () => {
    const user = userEvent.setup()
    await user.click(await screen.findByText('Created', { selector: 'summary span' }))
    return user
  }

  it('are filtered from a day to a day, both included', async () => {
    const { sent, router } = renderApp('/predictions', 'migrated', given({ first, last }))
    const user = await open()
    expect(await screen.findByText('20 Nov 2026, 08:00')).toBeVisible()
    expect(screen.getByText('21 Nov 2026, 18:00')).toBeVisible()
    const [from, to] = [screen.getByLabelText('Created: From'), screen.getByLabelText('Created: To')]
    fireEvent.change(from, { target: { value: '2026-11-21' } })
    fireEvent.change(to, { target: { value: '2026-11-20' } })
    const apply = () => user.click(within(from.closest('form') ?? from).getByRole('button', { name: 'Apply' }))
    await apply()
    expect(from).toBeInvalid()
    expect(from).toHaveAccessibleDescription('The first day is after the last one.')
    expect(router.state.location.search).toEqual({ workspace: 'w1' })
    fireEvent.change(to, { target: { value: '2026-11-21' } })
    await apply()
    await waitFor(() => expect(router.state.location.search).toMatchObject({ created_at_min: '2026-11-21', created_at_max: '2026-11-21' }))
    await waitFor(() =>
      expect(sent.findLast(({ path }) => path === '/predictions')?.query.get('created_at_max')).toMatch(/^2026-11-21[+-]/),
    )
    await user.click(screen.getByRole('button', { name: 'Remove filter Created: 21 Nov 2026 … 21 Nov 2026' }))
    await waitFor(() => expect(router.state.location.search).toEqual({ workspace: 'w1' }))
  })

  it('that a bar has are taken to the microsecond, and stay so until their day is changed', async () => {
    const { router } = renderApp('/predictions', 'migrated', given({ first, last }))
    const user = await open()
    const bars = await screen.findByRole('img', { name: 'Distribution of Created under the current filters' })
    bars.setPointerCapture = () => undefined
    vi.spyOn(bars, 'getBoundingClientRect').mockReturnValue(new DOMRect(0, 0, 200, 56))
    fireEvent.pointerDown(bars, { clientX: 150 })
    fireEvent.pointerUp(bars, { clientX: 150 })
    const bound = { created_at_min: '2026-11-21T01:00:00.000000', created_at_max: '2026-11-21T18:00:00.500000' }
    await waitFor(() => expect(router.state.location.search).toMatchObject(bound))
    expect(screen.getByLabelText('Created: From')).toHaveValue('2026-11-21')
    expect(screen.getByLabelText('Created: From')).toHaveAttribute('title', '21 Nov 2026, 01:00')
    expect(await screen.findByText('Created: 21 Nov 2026, 01:00 … 21 Nov 2026, 18:00')).toBeVisible()
    const from = screen.getByLabelText('Created: From')
    fireEvent.change(from, { target: { value: '2026-11-20' } })
    await user.click(within(from.closest('form') ?? from).getByRole('button', { name: 'Apply' }))
    await waitFor(() => expect(router.state.location.search).toMatchObject({ ...bound, created_at_min: '2026-11-20' }))
  })

  it('that no row has are said to be missing', async () => {
    renderApp('/predictions', 'migrated', given(null, []))
    await open()
    expect(await screen.findByText('No date here.')).toBeVisible()
  })
})
