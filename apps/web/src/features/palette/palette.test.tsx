import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Answer, problem, renderApp } from '../../../test/app.tsx'
import { migrateStatus, migrationJob, overviewOf, workspaceList } from '../../../test/data.ts'

afterEach(() => vi.restoreAllMocks())

const two = () => {
  const list = workspaceList('migrated')
  const [first] = list.rows
  if (first === undefined) throw new Error('no workspace')
  const other = { ...first, id: 'w2', name: 'Maïs 2024', path: '/data/corn', current: false }
  const gone = { ...first, id: 'w3', name: 'gone', path: '/data/gone', current: false, exists: false }
  const recent = { path: '/data/rye', name: 'rye', opened_at: '2026-11-21T03:00:00.000Z', exists: true }
  return {
    ...list,
    rows: [first, other, gone],
    recents: [recent, { ...recent, path: '/data/lost', name: 'lost', exists: false }],
    total: 3,
  }
}

const begin = async (
  mode: 'legacy' | 'migrated' | 'lost_arrays' = 'migrated',
  answers: Record<string, Answer> = {},
  address = '/settings/workspaces',
) => {
  const app = renderApp(address, mode, {
    'GET /overview': () => overviewOf({ dataset_name: 'Blé dur / lot 2' }),
    'POST /workspaces/w2/activate': () => ({}),
    ...answers,
  })
  await screen.findByRole('button', { name: 'Search or go to…' })
  return app
}

const openPalette = async () => {
  await userEvent.keyboard('{Control>}k{/Control}')
  return screen.findByRole('combobox')
}

const options = () => screen.getAllByRole('option').map((option) => option.textContent)
const active = () => {
  const id = screen.getByRole('combobox').getAttribute('aria-activedescendant')
  return id === null ? undefined : document.getElementById(id)?.textContent
}
const place = (app: Awaited<ReturnType<typeof begin>>) => app.router.state.location.href.replace(/[?&]workspace=w1$/, '')

describe('palette', () => {
  it('opens by key and by button, and gives the focus back', async () => {
    await begin()
    const before = await screen.findByRole('textbox', { name: 'Folder of the workspace' })
    before.focus()
    const field = await openPalette()
    expect(screen.getByRole('dialog', { name: 'Search and commands' })).toBeVisible()
    await waitFor(() => expect(field).toHaveFocus())
    await userEvent.keyboard('{Escape}')
    await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument())
    await waitFor(() => expect(before).toHaveFocus())
    await openPalette()
    await userEvent.keyboard('{Control>}k{/Control}')
    await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument())
    const button = screen.getByRole('button', { name: 'Search or go to…' })
    expect(button).toHaveAttribute('aria-keyshortcuts', 'Control+K')
    expect(button).toHaveTextContent('Ctrl+K')
    await userEvent.click(button)
    await screen.findByRole('combobox')
    await userEvent.click(screen.getByRole('button', { name: 'Close' }))
    await waitFor(() => expect(button).toHaveFocus())
  })

  it('is ⌘K on a Mac, where Ctrl+K stays the text field’s own; with Shift or Alt the key is nobody’s here', async () => {
    vi.spyOn(navigator, 'platform', 'get').mockReturnValue('MacIntel')
    await begin()
    const press = (keys: KeyboardEventInit) =>
      document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', bubbles: true, cancelable: true, ...keys }))
    expect(press({ ctrlKey: true })).toBe(true)
    expect(press({ metaKey: true, shiftKey: true })).toBe(true)
    expect(press({ metaKey: true, altKey: true })).toBe(true)
    expect(press({})).toBe(true)
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument()
    expect(press({ metaKey: true })).toBe(false)
    expect(await screen.findByRole('combobox')).toBeVisible()
    expect(screen.getByText('⌘K')).toBeInTheDocument()
  })

  it('is a combobox over groups of options, walked by keys', async () => {
    await begin()
    const field = await openPalette()
    const list = screen.getByRole('listbox', { name: 'What can be done' })
    expect(field).toHaveAttribute('aria-expanded', 'true')
    expect(field).toHaveAttribute('aria-autocomplete', 'list')
    expect(field).toHaveAttribute('aria-controls', list.id)
    expect(field).toHaveAccessibleName('Page, dataset, command, or words to search for')
    expect(within(within(list).getByRole('group', { name: 'Pages' })).getByRole('option', { name: 'Overview' })).toBeVisible()
    await waitFor(() => expect(active()).toMatch(/^Overview/))
    await userEvent.keyboard('{ArrowDown}')
    expect(active()).toMatch(/^Predictions/)
    await userEvent.keyboard('{End}')
    expect(active()).toMatch(/^Open by path…/)
    expect(field).toHaveFocus()
    await userEvent.keyboard('{ArrowUp}')
    expect(active()).toMatch(/^Language: Français/)
    await userEvent.keyboard('{Home}')
    expect(active()).toMatch(/^Overview/)
    await userEvent.type(field, 'ab{Shift>}{Home}{/Shift}')
    expect(active()).toBe('Search predictions for “ab”')
  })

  it('goes to pages, wherever the words stand in the name and however they are written', async () => {
    const app = await begin()
    const field = await openPalette()
    await userEvent.type(field, 'SETTINGS storage')
    expect(options()[0]).toMatch(/^Storage/)
    await userEvent.keyboard('{Enter}')
    await waitFor(() => expect(place(app)).toBe('/settings/storage'))
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument()
    await waitFor(() => expect(screen.getByRole('main')).toHaveFocus())
    const again = await openPalette()
    await waitFor(() => expect(again).toHaveFocus())
    await userEvent.keyboard('{Escape}')
    await waitFor(() => expect(screen.getByRole('main')).toHaveFocus())
  })

  it('goes to the predictions of a dataset, filtered', async () => {
    const app = await begin()
    const field = await openPalette()
    await screen.findByRole('option', { name: /^Blé dur/ })
    await userEvent.type(field, 'dur ble')
    await userEvent.keyboard('{Enter}')
    await waitFor(() => expect(place(app)).toBe('/predictions?dataset_name=Bl%C3%A9+dur+/+lot+2'))
  })

  it('searches predictions for what was typed, with what else fits before it', async () => {
    const app = await begin()
    const field = await openPalette()
    await userEvent.type(field, ' ridge wheat ')
    expect(options()).toEqual(['Search predictions for “ridge wheat”'])
    await userEvent.keyboard('{Enter}')
    await waitFor(() => expect(place(app)).toBe('/predictions?q=ridge+wheat'))
    const again = await openPalette()
    await userEvent.type(again, 'run')
    expect(options()).toEqual([expect.stringMatching(/^Runs/), 'Search predictions for “run”'])
  })

  it('switches to another open workspace, and offers none that is gone', async () => {
    const app = await begin('migrated', { 'GET /workspaces': two })
    const field = await openPalette()
    const group = within(screen.getByRole('group', { name: 'Other workspaces' }))
    expect(group.getAllByRole('option').map((option) => option.textContent)).toEqual([
      'Maïs 2024 /data/corn',
      'rye /data/rye',
      expect.stringMatching(/^Open by path…/),
    ])
    await userEvent.type(field, 'mais{Enter}')
    await waitFor(() => expect(app.sent.some(({ path }) => path === '/workspaces/w2/activate')).toBe(true))
    await waitFor(() => expect(place(app)).toBe('/?workspace=w2'))
  })

  it('tells when a workspace cannot be opened', async () => {
    await begin('migrated', {
      'GET /workspaces': two,
      'POST /workspaces': () => problem(404, 'workspace_not_found', 'The disk is not there.'),
    })
    await userEvent.type(await openPalette(), 'rye{Enter}')
    expect(await screen.findByText('The disk is not there.')).toBeVisible()
  })

  it('opens the jobs, the keys and the field for a path', async () => {
    await begin()
    await userEvent.type(await openPalette(), 'jobs{Enter}')
    expect(await screen.findByRole('dialog', { name: 'Jobs' })).toBeVisible()
    await userEvent.type(await openPalette(), 'shortcuts{Enter}')
    const help = await screen.findByRole('dialog', { name: 'Keyboard shortcuts' })
    expect(within(help).getByText('Ctrl+K')).toBeVisible()
    await userEvent.type(await openPalette(), 'path{Enter}')
    const asked = await screen.findByRole('dialog', { name: 'Open a workspace' })
    const path = within(asked).getByRole('textbox')
    await userEvent.type(path, '/data/x{Control>}k{/Control}')
    expect(path).toHaveValue('/data/x')
    expect(screen.queryByRole('combobox')).not.toBeInTheDocument()
  })

  it('does not open over a dialog that waits for an answer', async () => {
    await begin('migrated', {}, '/predictions')
    await userEvent.click(await screen.findByRole('button', { name: 'Export…' }))
    const dialog = await screen.findByRole('dialog', { name: 'Export predictions' })
    await userEvent.keyboard('{Control>}k{/Control}')
    expect(screen.getAllByRole('dialog')).toEqual([dialog])
    await userEvent.keyboard('{Escape}')
    expect(await openPalette()).toBeVisible()
  })

  it('changes the language and the theme, without offering those in force', async () => {
    await begin()
    const field = await openPalette()
    expect(options()).not.toContain('Language: English')
    expect(options()).not.toContain('Theme: System')
    await userEvent.type(field, 'langue{Enter}')
    expect(await screen.findByRole('button', { name: 'Chercher ou aller à…' })).toBeVisible()
    await userEvent.type(await openPalette(), 'theme sombre')
    expect(options()[0]).toBe('Thème\u00a0: Sombre')
    await userEvent.keyboard('{Enter}')
    expect(localStorage.getItem('nirs.theme')).toBe('dark')
    await userEvent.type(await openPalette(), 'english{Enter}')
    expect(await screen.findByRole('button', { name: 'Search or go to…' })).toBeVisible()
    await userEvent.type(await openPalette(), 'theme system{Enter}')
    expect(localStorage.getItem('nirs.theme')).toBe('system')
  })

  it('offers a migration where one is needed, a report where there is one, and nothing else', async () => {
    const app = await begin('legacy')
    await openPalette()
    await userEvent.click(await screen.findByRole('option', { name: 'Preview the migration' }))
    await waitFor(() => expect(place(app)).toBe('/settings/migration?step=review'))
  })

  it('offers no migration to a migrated workspace', async () => {
    await begin('migrated')
    await openPalette()
    await screen.findByRole('option', { name: /^Migration report/ })
    expect(screen.queryByRole('option', { name: 'Preview the migration' })).not.toBeInTheDocument()
    expect(screen.queryByRole('option', { name: /^Migration Settings/ })).not.toBeInTheDocument()
  })

  it('offers no migration page with nothing on it, and no second job beside a running one', async () => {
    await begin('migrated', {
      'GET /workspace/migrate/status': () => ({ ...migrateStatus('migrated'), last_report: null }),
      'GET /jobs': () => ({ rows: [migrationJob({ kind: 'verify' })], total: 1 }),
    })
    await openPalette()
    await screen.findByRole('option', { name: /^Blé dur/ })
    expect(options().filter((option) => /migration|integrity/i.test(option ?? ''))).toEqual([])
  })

  it('offers without a workspace only what needs none', async () => {
    await begin('migrated', { 'GET /workspaces': () => ({ rows: [], recents: two().recents, total: 0 }) }, '/')
    const field = await openPalette()
    expect(options()).toEqual([
      expect.stringMatching(/^Jobs/),
      expect.stringMatching(/^Keyboard shortcuts/),
      'Theme: Light',
      'Theme: Dark',
      'Language: Français',
      'rye /data/rye',
      expect.stringMatching(/^Open by path…/),
    ])
    await userEvent.type(field, 'xyz')
    expect(screen.queryByRole('option')).not.toBeInTheDocument()
    expect(screen.getByText('Nothing of that name.')).toBeVisible()
  })

  it('lists the first of many datasets and says how many it left out', async () => {
    const [dataset] = overviewOf({}).datasets
    const datasets = Array.from({ length: 60 }, (_, index) => ({ ...dataset, dataset_name: `set ${index}` }))
    await begin('migrated', { 'GET /overview': () => ({ datasets, recent_runs: [], unreadable_files: [] }) })
    const field = await openPalette()
    expect(await screen.findByText(/52 more not listed/)).toBeVisible()
    await userEvent.type(field, 'set 59{Home}')
    expect(options()[0]).toMatch(/^set 59/)
  })
})
