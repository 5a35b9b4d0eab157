import { Facets } from '@nirs-workspace/types'
import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'
import { renderApp } from '../../../test/app.tsx'

const models = (many: number, partitions: readonly string[] = ['val']) =>
  Facets.parse({
    total: 900,
    facets: {
      partition: { values: partitions.map((value) => ({ value, count: 300 })), distinct: partitions.length },
      model_name: { values: Array.from({ length: many }, (_, place) => ({ value: `PLS-${place}`, count: 2 })), distinct: many },
    },
  })

const openList = async (address = '/predictions', facets = () => models(40, ['train', 'val'])) => {
  const app = renderApp(address, 'migrated', { 'GET /predictions/facets': facets })
  const list = within(await screen.findByRole('group', { name: 'Model' }))
  const box = (name: string) => {
    const row = list.getByTitle(name).closest('label')
    if (row === null) throw new Error(`${name} is no label`)
    return within(row).getByRole('checkbox')
  }
  return { ...app, list, user: userEvent.setup(), box }
}

describe('list of facet values', () => {
  it('keeps the focus on a value however far the keys go', async () => {
    const { user, list, box, router } = await openList()
    box('PLS-0').focus()
    await user.keyboard('{End}')
    expect(box('PLS-39')).toHaveFocus()
    await user.keyboard('{ArrowDown}{ArrowUp}')
    expect(box('PLS-38')).toHaveFocus()
    await user.keyboard(' ')
    await waitFor(() => expect(router.state.location.search).toMatchObject({ model_name: 'PLS-38' }))
    expect(box('PLS-38')).toHaveFocus()
    await user.keyboard('{Home}{ArrowUp}{ArrowDown}')
    expect(box('PLS-1')).toHaveFocus()
    await user.keyboard('{PageDown}')
    expect(box('PLS-9')).toHaveFocus()
    await user.keyboard('{PageUp}{PageUp}')
    expect(box('PLS-0')).toHaveFocus()
    expect(list.getAllByRole('checkbox').length).toBeLessThan(40)
  })

  it('says nothing of how many rows a chosen value has that is not among those listed', async () => {
    const facets = models(3)
    const { model_name } = facets.facets
    if (model_name) model_name.distinct = 600
    const { list } = await openList('/predictions?model_name=Rare', () => facets)
    expect(list.getByTitle('Rare').closest('label')).toHaveTextContent(/^Rare$/)
    expect(list.getByTitle('PLS-1').closest('label')).toHaveTextContent(/^PLS-12$/)
    expect(screen.getByText(/596/)).toBeVisible()
  })

  it('is one Tab stop, where one was or at the first chosen value', async () => {
    const { user, list, box } = await openList('/predictions?model_name=PLS-2')
    const stops = () => list.getAllByRole('checkbox').filter(({ tabIndex }) => tabIndex === 0)
    expect(stops()).toEqual([box('PLS-2')])
    box('PLS-2').focus()
    await user.keyboard('{End}')
    await user.tab()
    expect(box('PLS-39')).not.toHaveFocus()
    expect(list.getAllByRole('checkbox')).not.toContain(document.activeElement)
    await user.tab({ shift: true })
    expect(box('PLS-39')).toHaveFocus()
    await user.click(box('PLS-1'))
    expect(stops()).toEqual([box('PLS-1')])
  })

  it('leaves keys with Ctrl or Alt to the browser', async () => {
    const { box } = await openList()
    box('PLS-0').focus()
    expect(fireEvent.keyDown(box('PLS-0'), { key: 'ArrowDown', altKey: true })).toBe(true)
    expect(fireEvent.keyDown(box('PLS-0'), { key: 'End', ctrlKey: true })).toBe(true)
    expect(box('PLS-0')).toHaveFocus()
  })

  it('hands the focus on when the focused value leaves the list', async () => {
    let many = 3
    const { user, box } = await openList('/predictions?model_name=PLS-2', () => models(many))
    box('PLS-2').focus()
    many = 2
    await user.keyboard(' ')
    await waitFor(() => expect(box('PLS-1')).toHaveFocus())
  })
})
