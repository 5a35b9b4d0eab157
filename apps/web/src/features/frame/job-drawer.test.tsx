import type { Job } from '@nirs-workspace/types'
import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'
import { renderApp } from '../../../test/app.tsx'
import { migrationJob, report } from '../../../test/data.ts'

const failed = migrationJob({
  job_id: 'job-0',
  kind: 'verify',
  state: 'failed',
  cancellable: false,
  created_at: '2026-11-21T04:00:00.000Z',
  started_at: '2026-11-21T04:00:00.000Z',
  ended_at: '2026-11-21T04:00:07.000Z',
  error: { code: 'no_space', title: 'There is not enough free disk space', detail: 'The disk is full.' },
})

describe('job drawer', () => {
  it('lists running and finished jobs on any page, and cancels', async () => {
    const { sent } = renderApp('/runs', 'legacy', {
      'GET /jobs': () => ({ rows: [failed, migrationJob({})], total: 2 }),
      'POST /jobs/job-1/cancel': () => migrationJob({}),
      'GET /runs': () => ({ rows: [], total: 0, offset: 0 }),
    })
    const user = userEvent.setup()
    await user.click(await screen.findByRole('button', { name: /Migration 42/ }))
    const drawer = await screen.findByRole('dialog', { name: 'Jobs' })
    const items = within(drawer).getAllByRole('listitem')
    expect(items[0]).toHaveTextContent(/Migration.*Running.*42.?%.*Writing Parquet files/)
    expect(items[1]).toHaveTextContent(/Verification.*Failed.*The disk is full\..*took 7\ss/)
    await user.click(within(drawer).getByRole('button', { name: 'Cancel: Migration, /data/grain-lab' }))
    await waitFor(() => expect(sent.some(({ method, path }) => method === 'POST' && path === '/jobs/job-1/cancel')).toBe(true))
    expect(within(drawer).queryByRole('button', { name: /Cancel: Verification/ })).not.toBeInTheDocument()
  })

  it('opens by a key and says what will be there', async () => {
    renderApp('/', 'migrated')
    await screen.findByText('/data/grain-lab')
    await userEvent.keyboard('j')
    expect(await screen.findByText(/^No job yet\./)).toBeVisible()
  })

  it('leads to no page that shows nothing: a roll back is done, and what it has taken back is undone', async () => {
    const ended = (change: Partial<Job>) => migrationJob({ state: 'completed', cancellable: false, report, ...change })
    const at = (hour: string) => `2026-11-21T${hour}:00:00.000Z`
    const rows = [
      ended({ job_id: 'again', created_at: at('06') }),
      ended({ job_id: 'back', kind: 'rollback', created_at: at('05'), report: { restored_from: 'b', kept_newer_state_at: null } }),
      ended({ job_id: 'elsewhere', workspace_id: 'w2', workspace_path: '/data/other', created_at: at('04') }),
      ended({ job_id: 'first', created_at: at('03') }),
    ]
    renderApp('/', 'migrated', { 'GET /jobs': () => ({ rows, total: 4 }) })
    await screen.findByText('/data/grain-lab')
    await userEvent.keyboard('j')
    const drawer = await screen.findByRole('dialog', { name: 'Jobs' })
    await within(drawer).findAllByText('Migration')
    const items = within(drawer).getAllByRole('listitem')
    expect(items.map((item) => within(item).queryByRole('link', { name: 'Show' }) !== null)).toEqual([true, false, true, false])
    expect(items.map((item) => within(item).queryByText('undone since') !== null)).toEqual([false, false, false, true])
  })
})
