import type { Workspace } from '@nirs-workspace/types'
import { screen, waitFor } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import { problem, renderApp } from '../../../test/app.tsx'
import { overviewOf, workspaceList } from '../../../test/data.ts'

const title = 'The workspace has changed, and what is there now cannot be read.'
const reason = 'store.duckdb.wal is damaged.'
const catalog = { state: 'ready' as const, built_at: '2026-11-21T03:00:00.000Z', fingerprint: 'f', detail: null }
const broken: Partial<Workspace> = { catalog: { ...catalog, state: 'stale', detail: reason } }

/** The app over a workspace whose catalog a test breaks and mends. */
const openBreakable = (address: string, start: Partial<Workspace>) => {
  const state = { now: start }
  const isSound = () => state.now.catalog?.detail == null
  const app = renderApp(address, 'legacy', {
    'GET /workspaces': () => workspaceList('legacy', state.now),
    'GET /overview': () => overviewOf({}),
    'GET /runs': () => (isSound() ? { rows: [], total: 0, offset: 0 } : problem(422, 'store_unreadable', reason)),
  })
  return { ...app, state }
}

/** Looks of the frame are seconds apart. */
const patient = { timeout: 60_000 }

describe('a workspace that becomes unreadable while it is open', () => {
  it('is told on every page with the reason and the age of what is shown; no migration is offered', async () => {
    openBreakable('/', broken)
    const alert = (await screen.findByText(title)).closest('[role=alert]')
    expect(alert).toHaveTextContent(/store\.duckdb\.wal is damaged\. What is shown is from .*2026.* has changed nothing; .* by themselves/)
    expect(await screen.findByRole('heading', { name: 'wheat' })).toBeVisible()
    expect(screen.getByText('cannot be read now')).toBeInTheDocument()
    expect(screen.queryByText('Legacy array storage.')).not.toBeInTheDocument()
  })

  it('is noticed without an event', async () => {
    const { state } = openBreakable('/', {})
    await screen.findByText('Legacy array storage.')
    state.now = broken
    expect(await screen.findByText(title, {}, patient)).toBeVisible()
    expect(screen.queryByText('Legacy array storage.')).not.toBeInTheDocument()
  })

  it.each([
    ['stale', broken],
    ['failed', { catalog: { state: 'failed', built_at: null, fingerprint: null, detail: reason } }],
  ] as [string, Partial<Workspace>][])('goes on by itself, also on a page that showed the error (%s)', async (_, start) => {
    const { state } = openBreakable('/runs', start)
    expect((await screen.findAllByText(new RegExp(reason)))[0]).toBeVisible()
    state.now = {}
    await waitFor(() => expect(screen.queryByText(new RegExp(reason))).not.toBeInTheDocument(), patient)
    expect(screen.queryByText(title)).not.toBeInTheDocument()
    expect(await screen.findByText('Legacy array storage.')).toBeVisible()
  })

  it.each([
    ['being renewed', { catalog: { ...catalog, state: 'stale', detail: null } }],
    ['held by another process', { ...broken, writer: { pid: 4711, command: 'python', started_at: null } }],
  ] as [string, Partial<Workspace>][])('is not what a workspace is that is %s', async (_, start) => {
    openBreakable('/', start)
    expect(await screen.findByText('Legacy array storage.')).toBeVisible()
    expect(screen.queryByText(title)).not.toBeInTheDocument()
    expect(screen.queryByText('cannot be read now')).not.toBeInTheDocument()
  })
})
