import type { Job } from '@nirs-workspace/types'
import { act, screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'
import { problem, renderApp } from '../../../test/app.tsx'
import { migrateStatus, migrationJob, plan, report, storageStatus } from '../../../test/data.ts'
import { isBehind } from '../../api/is-behind.ts'
import { stageOf } from './migration-page.tsx'

describe('migration page', () => {
  it('test_migration_dialog_dry_run: shows the plan and migrates exactly that plan', async () => {
    const { sent } = renderApp('/settings/migration', 'legacy', {
      'POST /workspace/migrate': ({ body }) =>
        JSON.stringify(body).includes('plan-7') ? { job_id: 'job-1' } : import('../../../test/data.ts').then(({ plan }) => plan),
    })
    const user = userEvent.setup()
    await user.click(await screen.findByRole('button', { name: /Preview/ }))
    expect(await screen.findByText('Nothing has been changed. This plan was made by reading only.')).toBeVisible()
    expect(screen.getByText(/294 MB → 4\.0 MB/)).toBeVisible()
    expect(screen.getByRole('row', { name: /soil pH 750 .*arrays\/soil_pH\.parquet/ })).toBeVisible()
    expect(screen.getByText(/would go to quarantine/)).toBeVisible()
    expect(screen.queryByText(/finished/i)).not.toBeInTheDocument()
    await user.click(screen.getByRole('button', { name: 'Migrate now' }))
    await waitFor(() => expect(sent.at(-1)?.path).not.toBe(''))
    const posts = sent.filter((request) => request.method === 'POST').map((request) => request.body)
    expect(posts).toEqual([{ dry_run: true }, { dry_run: false, plan_id: 'plan-7' }])
  })

  it('shows the plan, with nothing to begin, while a newer one is being made', async () => {
    const answer = Promise.withResolvers<void>()
    let asked = 0
    renderApp('/settings/migration?step=review', 'legacy', {
      'POST /workspace/migrate': async () => {
        asked += 1
        if (asked > 1) await answer.promise
        return plan
      },
    })
    const start = await screen.findByRole('button', { name: 'Migrate now' })
    const again = screen.getByRole('button', { name: 'Make the plan again' })
    await userEvent.click(again)
    await waitFor(() => expect(start).toBeDisabled())
    expect(again).toHaveFocus()
    answer.resolve()
    await waitFor(() => expect(start).toBeEnabled())
  })

  it('does not say of a plan what was said of the one before', async () => {
    renderApp('/settings/migration?step=review', 'legacy', {
      'POST /workspace/migrate': ({ body }) =>
        JSON.stringify(body).includes('plan-7') ? problem(409, 'plan_stale', 'This is not a plan of the workspace as it is now.') : plan,
    })
    await userEvent.click(await screen.findByRole('button', { name: 'Migrate now' }))
    expect(await screen.findByRole('alert')).toHaveTextContent('This is not a plan of the workspace as it is now.')
    const again = screen.getByRole('button', { name: 'Make the plan again' })
    await userEvent.click(again)
    await waitFor(() => expect(screen.queryByRole('alert')).not.toBeInTheDocument())
    expect(again).toHaveFocus()
  })

  it('says why a migration does not start', async () => {
    renderApp('/settings/migration?step=review', 'legacy', {
      'POST /workspace/migrate': ({ body }) =>
        JSON.stringify(body).includes('plan-7')
          ? problem(423, 'store_locked', 'python (PID 4711) has the store open.')
          : import('../../../test/data.ts').then(({ plan }) => plan),
    })
    await userEvent.click(await screen.findByRole('button', { name: 'Migrate now' }))
    expect(await screen.findByRole('alert')).toHaveTextContent('Another process has the store open. python (PID 4711) has the store open.')
  })

  it('is found again while it runs', async () => {
    const jobs = { rows: [migrationJob({})] }
    const { client } = renderApp('/settings/migration', 'legacy', { 'GET /jobs': () => ({ rows: jobs.rows, total: 1 }) })
    expect(await screen.findByText('Writing Parquet files')).toBeVisible()
    expect(screen.getByText('210 rows/s')).toBeVisible()
    // The phase is worth telling; figures that change five times a second are not.
    expect(screen.getByText('Writing Parquet files')).toHaveAttribute('aria-live', 'polite')
    expect(screen.getByText('210 rows/s').closest('[aria-live]')).toBeNull()
    expect(screen.getByRole('progressbar', { name: 'wheat' })).toHaveAttribute('aria-valuenow', '84')
    expect(screen.getByRole('button', { name: 'Cancel migration' })).toBeEnabled()
    // As of another server, which alone can cancel it.
    jobs.rows = [migrationJob({ cancellable: false })]
    await act(() => client.invalidateQueries({ queryKey: ['/jobs'] }))
    await waitFor(() => expect(screen.queryByRole('button', { name: 'Cancel migration' })).not.toBeInTheDocument())
    expect(screen.queryByText(/The stores are being swapped/)).not.toBeInTheDocument()
  })

  it('leaves the tab to the page that comes next', async () => {
    const { router } = renderApp('/settings/migration', 'legacy', { 'GET /jobs': () => ({ rows: [migrationJob({})], total: 1 }) })
    await screen.findByText('Writing Parquet files')
    await act(() => router.navigate({ to: '/predictions' }))
    await screen.findByRole('grid')
    expect(document.title).toMatch(/^Predictions · /)
  })

  it('shows no figure of how far it is before anybody knows', async () => {
    const progress = { ...migrationJob({}).progress, phase: 'plan' as const, fraction: 0.01, total_rows: 0, total_bytes: 0, datasets: [] }
    renderApp('/settings/migration', 'legacy', { 'GET /jobs': () => ({ rows: [migrationJob({ progress })], total: 1 }) })
    expect(await screen.findByRole('heading', { name: 'Migrating' })).toBeVisible()
    for (const bar of screen.getAllByRole('progressbar')) expect(bar).not.toHaveAttribute('aria-valuenow')
  })

  it('keeps its progress, and offers no migration, until the report of the one that has ended is there', async () => {
    const jobs = { rows: [migrationJob({})] }
    const answer = Promise.withResolvers<void>()
    const done = () => jobs.rows.some(({ state }) => state === 'completed')
    const later = (before: unknown, after: unknown) => async () => {
      if (!done()) return before
      await answer.promise
      return after
    }
    const { client } = renderApp('/settings/migration', 'legacy', {
      'GET /jobs': () => ({ rows: jobs.rows, total: 1 }),
      'GET /workspace/migrate/status': later(migrateStatus('legacy'), migrateStatus('migrated')),
      'GET /workspace/storage-status': later(storageStatus('legacy'), storageStatus('migrated')),
    })
    await screen.findByRole('button', { name: 'Cancel migration' })
    jobs.rows = [migrationJob({ state: 'completed', report, cancellable: false, ended_at: new Date(Date.now() + 1).toISOString() })]
    await act(() => client.invalidateQueries({ queryKey: ['/jobs'] }))
    await waitFor(() => expect(screen.queryByText('Writing Parquet files')).not.toBeInTheDocument())
    expect(screen.getByText('Finished, reading the workspace…')).toBeVisible()
    expect(screen.getByRole('heading', { name: /100/ })).toBeVisible()
    expect(screen.queryByText('Legacy array storage.')).not.toBeInTheDocument()
    answer.resolve()
    expect(await screen.findByText('Migration finished')).toBeVisible()
    expect(screen.queryByText(/migrated by another program/)).not.toBeInTheDocument()
  })

  it('takes an answer that does not know of the end yet for none, and asks again', async () => {
    const jobs = { rows: [migrationJob({})] }
    let known: 'legacy' | 'migrated' = 'legacy'
    const { client } = renderApp('/settings/migration?step=review', 'legacy', {
      'GET /jobs': () => ({ rows: jobs.rows, total: 1 }),
      'GET /workspace/migrate/status': () => migrateStatus(known),
      'GET /workspace/storage-status': () => storageStatus(known),
    })
    await screen.findByRole('button', { name: 'Cancel migration' })
    jobs.rows = [migrationJob({ state: 'completed', report, cancellable: false, ended_at: new Date().toISOString() })]
    await act(() => client.invalidateQueries())
    expect(await screen.findByText('Finished, reading the workspace…')).toBeVisible()
    await waitFor(() => expect(client.isFetching()).toBe(0))
    expect(screen.getByText('Finished, reading the workspace…')).toBeVisible()
    expect(screen.queryByText('Legacy array storage.')).not.toBeInTheDocument()
    expect(screen.queryByText('What the migration would do')).not.toBeInTheDocument()
    known = 'migrated'
    expect(await screen.findByText('Migration finished')).toBeVisible()
    expect(screen.queryByText('Legacy array storage.')).not.toBeInTheDocument()
  })

  it('keeps the plan and the offer while it asks again, where another program took an earlier migration back', async () => {
    const done = migrationJob({ state: 'completed', report, cancellable: false, ended_at: new Date(Date.now() - 60_000).toISOString() })
    const answer = Promise.withResolvers<void>()
    let isSlow = false
    const later = (value: unknown) => async () => {
      if (isSlow) await answer.promise
      return value
    }
    const { client } = renderApp('/settings/migration?step=review', 'legacy', {
      'GET /jobs': () => ({ rows: [done], total: 1 }),
      'GET /workspace/migrate/status': later(migrateStatus('legacy')),
      'GET /workspace/storage-status': later(storageStatus('legacy')),
    })
    await screen.findByText('Legacy array storage.')
    isSlow = true
    void client.invalidateQueries({ predicate: ({ queryKey }) => String(queryKey[0]).includes('status') })
    await waitFor(() => expect(client.isFetching()).toBeGreaterThan(0))
    expect(screen.getByText('Legacy array storage.')).toBeVisible()
    answer.resolve()
  })

  it.each([
    ['runs', migrationJob({}), 'Writing Parquet files'],
    [
      'has just ended',
      migrationJob({ state: 'completed', report, ended_at: new Date().toISOString() }),
      'Finished, reading the workspace…',
    ],
  ])('shows a migration that %s before it knows the state of the workspace', async (_, job, shown) => {
    const never = () => new Promise(() => {})
    renderApp('/settings/migration', 'legacy', {
      'GET /jobs': () => ({ rows: [job], total: 1 }),
      'GET /workspace/migrate/status': never,
      'GET /workspace/storage-status': never,
    })
    expect(await screen.findByText(shown)).toBeVisible()
  })

  it('says why the state after a migration that has just ended cannot be read, and tries again', async () => {
    let failing = true
    renderApp('/settings/migration', 'migrated', {
      'GET /jobs': () => ({ rows: [migrationJob({ state: 'completed', report, ended_at: new Date().toISOString() })], total: 1 }),
      'GET /workspace/migrate/status': () =>
        failing ? problem(500, 'internal', 'The catalog process stopped.') : migrateStatus('migrated'),
    })
    expect(await screen.findByText('The catalog process stopped.')).toBeVisible()
    expect(screen.queryByText('Finished, reading the workspace…')).not.toBeInTheDocument()
    failing = false
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }))
    expect(await screen.findByText('Migration finished')).toBeVisible()
  })

  it.each([
    ['with its report', migrateStatus('migrated'), 'Migration finished'],
    ['as it is', { ...migrateStatus('migrated'), last_report: null }, 'Nothing to migrate'],
  ])('says that another program has migrated the workspace meanwhile, and shows it %s', async (_, after, shown) => {
    let migrated = false
    const { sent } = renderApp('/settings/migration?step=review', 'legacy', {
      'POST /workspace/migrate': ({ body }) => {
        if (!JSON.stringify(body).includes('plan-7')) return plan
        migrated = true
        return problem(409, 'plan_stale', 'This is not a plan of the workspace as it is now. Nothing was changed.')
      },
      'GET /workspace/migrate/status': () => (migrated ? after : migrateStatus('legacy')),
      'GET /workspace/storage-status': () => storageStatus(migrated ? 'migrated' : 'legacy'),
    })
    await userEvent.click(await screen.findByRole('button', { name: 'Migrate now' }))
    expect(await screen.findByText(shown)).toBeVisible()
    expect(screen.getByText(/migrated by another program/)).toBeVisible()
    expect(sent.filter(({ method }) => method === 'POST')).toHaveLength(2)
  })

  it('looks again when there is nothing to plan any more', async () => {
    let asked = 0
    renderApp('/settings/migration?step=review', 'legacy', {
      'POST /workspace/migrate': () => problem(409, 'not_migratable', 'The store has no prediction_arrays table.'),
      'GET /workspace/migrate/status': () => {
        asked += 1
        return migrateStatus(asked === 1 ? 'legacy' : 'migrated')
      },
    })
    expect(await screen.findByText('Migration finished')).toBeVisible()
    expect(screen.getByText(/migrated by another program/)).toBeVisible()
  })

  it('begins the check of the proof by the button that says so, and goes where it is shown', async () => {
    const { sent, router } = renderApp('/settings/migration', 'migrated', { 'POST /workspace/migrate/verify': () => ({ job_id: 'job-9' }) })
    await userEvent.click(await screen.findByRole('button', { name: 'Check the proof again' }))
    await waitFor(() => expect(router.state.location.pathname).toBe('/settings/storage'))
    expect(router.state.location.hash).toBe('check')
    expect(sent.filter((request) => request.path === '/workspace/migrate/verify')).toHaveLength(1)
  })

  it('reports, and rolls back only after a question', async () => {
    const { sent } = renderApp('/settings/migration', 'migrated', { 'POST /workspace/migrate/rollback': () => ({ job_id: 'job-2' }) })
    const user = userEvent.setup()
    expect(await screen.findByText(/1.500 rows compared value by value, none differs/)).toBeVisible()
    expect(screen.getByText(/^For now the folder is larger by .+ its space is free once you delete it\.$/)).toBeVisible()
    expect(screen.getByText('Datasets')).toBeVisible()
    await user.click(screen.getByRole('button', { name: 'Roll back…' }))
    expect(sent.some((request) => request.path.endsWith('/rollback'))).toBe(false)
    await user.click(await screen.findByRole('button', { name: 'Roll back' }))
    await waitFor(() => expect(sent.some((request) => request.path.endsWith('/rollback'))).toBe(true))
  })

  it('names the log of an original that had one beside the original', async () => {
    const backup_wal_path = `${report.backup_path}.wal`
    renderApp('/settings/migration', 'migrated', {
      'GET /workspace/migrate/status': () => ({ ...migrateStatus('migrated'), backup_wal_path }),
    })
    expect(await screen.findByText(backup_wal_path)).toBeVisible()
    expect(screen.getByRole('button', { name: 'Copy: log of the original' })).toBeVisible()
  })

  describe('after a roll back', () => {
    const title = 'Rolled back:'
    const rolledBack = (jobId: string, kept: string | null, hoursAgo = 0) =>
      migrationJob({
        job_id: jobId,
        kind: 'rollback',
        state: 'completed',
        cancellable: false,
        ended_at: new Date(Date.now() - hoursAgo * 3_600_000).toISOString(),
        report: { restored_from: '/data/grain-lab/store.duckdb.bak', kept_newer_state_at: kept },
      })

    it('says that the original is back, until the page is left', async () => {
      const rows = [rolledBack('back-1', null)]
      const { router } = renderApp('/settings/migration', 'legacy', { 'GET /jobs': () => ({ rows, total: 1 }) })
      const notice = (await screen.findByText(title)).closest('[role=status]')
      expect(notice).toHaveTextContent(
        /the original store is back, byte for byte \(.+\)\. The Parquet files that the migration wrote are removed\./,
      )
      expect(await screen.findByRole('button', { name: /Preview/ })).toBeVisible()
      await act(() => router.navigate({ to: '/settings/storage' }))
      await screen.findByText('507 MB in all')
      await act(() => router.navigate({ to: '/settings/migration' }))
      await screen.findByRole('button', { name: /Preview/ })
      expect(screen.queryByText(title)).not.toBeInTheDocument()
    })

    it('says where the newer state is, until the next job starts', async () => {
      const jobs = { rows: [rolledBack('back-2', '.nirs-workspace/rolled-back-1')] }
      const { client } = renderApp('/settings/migration', 'legacy', { 'GET /jobs': () => ({ rows: jobs.rows, total: jobs.rows.length }) })
      expect(await screen.findByText(/is kept at \.nirs-workspace\/rolled-back-1\./)).toBeVisible()
      jobs.rows = [migrationJob({ job_id: 'next', kind: 'verify', created_at: '2026-11-21T05:00:00.000Z' }), ...jobs.rows]
      await act(() => client.invalidateQueries({ queryKey: ['/jobs'] }))
      await waitFor(() => expect(screen.queryByText(title)).not.toBeInTheDocument())
    })

    it('does not speak of one of long ago', async () => {
      const rows = [rolledBack('back-3', null, 2)]
      renderApp('/settings/migration', 'legacy', { 'GET /jobs': () => ({ rows, total: 1 }) })
      await screen.findByRole('button', { name: /Preview/ })
      expect(screen.queryByText(title)).not.toBeInTheDocument()
    })
  })

  describe('a job that a stale plan has kept from beginning', () => {
    const refused = (ended_at: string) =>
      migrationJob({
        state: 'failed',
        cancellable: false,
        ended_at,
        progress: { ...migrationJob({}).progress, phase: 'plan' },
        error: { code: 'plan_stale', title: 'The workspace is not as a preview showed it', detail: 'd' },
      })

    it('is told to who sees it end, with the way on', async () => {
      const jobs = { rows: [migrationJob({})] }
      const { client } = renderApp('/settings/migration', 'legacy', { 'GET /jobs': () => ({ rows: jobs.rows, total: 1 }) })
      await screen.findByRole('button', { name: 'Cancel migration' })
      jobs.rows = [refused(new Date(Date.now() + 1).toISOString())]
      await act(() => client.invalidateQueries({ queryKey: ['/jobs'] }))
      expect(await screen.findByRole('alert')).toHaveTextContent(
        /^The migration did not begin: the workspace had changed since the preview\./,
      )
      expect(screen.getByRole('button', { name: /Preview/ })).toBeVisible()
    })

    it('is no news to later visitors', async () => {
      const rows = [refused(new Date(Date.now() - 1000).toISOString())]
      renderApp('/settings/migration', 'legacy', { 'GET /jobs': () => ({ rows, total: 1 }) })
      expect(await screen.findByRole('button', { name: /Preview/ })).toBeVisible()
      expect(screen.queryByText(/did not begin|failed/)).not.toBeInTheDocument()
    })
  })

  it('says what happened after a failure and that the store is untouched', async () => {
    const error = { code: 'no_space' as const, title: 'There is not enough free disk space', detail: 'The disk is full.' }
    renderApp('/settings/migration', 'legacy', {
      'GET /jobs': () => ({ rows: [migrationJob({ state: 'failed', error, cancellable: false })], total: 1 }),
    })
    expect(await screen.findByText('Your store is untouched.')).toBeVisible()
    expect(screen.getByText('The disk is full.')).toBeVisible()
    expect(screen.getByRole('button', { name: 'Preview again' })).toBeVisible()
  })
})

describe('stageOf', () => {
  const failed = migrationJob({ state: 'failed', error: { code: 'write_failed', title: 't', detail: 'd' } })
  const stale = (phase: Job['progress']['phase']) =>
    migrationJob({
      state: 'failed',
      error: { code: 'plan_stale', title: 't', detail: 'd' },
      progress: { ...migrationJob({}).progress, phase },
    })
  const rolledBack = migrationJob({ job_id: 'job-2', kind: 'rollback', state: 'completed' })
  it.each([
    ['legacy, no jobs', migrateStatus('legacy'), [], 'review'],
    ['legacy, failed', migrateStatus('legacy'), [failed], 'failed'],
    ['legacy, refused for a stale plan', migrateStatus('legacy'), [stale('plan')], 'review'],
    ['legacy, its store replaced on the way', migrateStatus('legacy'), [stale('stage')], 'failed'],
    ['legacy again after a roll back', migrateStatus('legacy'), [rolledBack, migrationJob({ state: 'completed', report })], 'review'],
    ['running', migrateStatus('legacy'), [migrationJob({})], 'running'],
    ['migrated by us', migrateStatus('migrated'), [], 'report'],
    ['migrated by others', { ...migrateStatus('migrated'), last_report: null }, [], 'nothing'],
  ] as const)('%s', (_, status, jobs, name) => {
    expect(stageOf(status, jobs).name).toBe(name)
  })
})

describe('isBehind', () => {
  const endedAt = '2026-11-21T04:00:07.000Z'
  const done = (kind: 'migrate' | 'rollback') => migrationJob({ kind, state: 'completed', ended_at: endedAt })
  it.each([
    ['a report, after a roll back', migrateStatus('migrated'), [done('rollback'), done('migrate')], 2, true],
    ['a plan, after a migration', migrateStatus('legacy'), [done('migrate')], 2, true],
    ['a plan long after a migration: another program brought it', migrateStatus('legacy'), [done('migrate')], 60, false],
    ['a plan, after a roll back', migrateStatus('legacy'), [done('rollback'), done('migrate')], 2, false],
    ['a report, after a migration', migrateStatus('migrated'), [done('migrate')], 2, false],
    ['a report, after a roll back that failed', migrateStatus('migrated'), [migrationJob({ kind: 'rollback', state: 'failed' })], 2, false],
  ] as const)('%s', (_, status, jobs, seconds, expected) => {
    expect(isBehind(status, jobs, Date.parse(endedAt) + seconds * 1000)).toBe(expected)
  })
})
