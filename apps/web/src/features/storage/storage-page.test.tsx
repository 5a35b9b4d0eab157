import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'
import { renderApp } from '../../../test/app.tsx'
import { migrateStatus, migrationJob, stats, unreadableFiles } from '../../../test/data.ts'

describe('storage page', () => {
  it('test_storage_health_widget_renders: badge, space by kind, what can be freed, datasets', async () => {
    renderApp('/settings/storage', 'migrated')
    expect(await screen.findByText('507 MB in all')).toBeVisible()
    expect(screen.getByRole('img', { name: /Prediction arrays 197\sMB/ })).toBeVisible()
    expect(await screen.findByText(/You can free 294 MB\./)).toBeVisible()
    expect(within(screen.getByRole('table')).getByRole('row', { name: /soil pH 768 750/ })).toBeVisible()
    expect(screen.getAllByText('Migrated').length).toBeGreaterThan(0)
  })

  it('says how space is had back: by the migration, by deleting its original, by compacting', async () => {
    const { router } = renderApp('/settings/storage', 'legacy', {
      'GET /workspace/stats': () => ({ ...stats, reclaimable_bytes: 1_600_000 }),
    })
    const sentence = await screen.findByText(/^Migrating writes the arrays and the store anew, about 294\sMB → 201\sMB/)
    expect(screen.queryByText(/You can free|Nothing to free/)).not.toBeInTheDocument()
    const way = sentence.closest('li')
    await userEvent.click(within(way ?? document.body).getByRole('link', { name: 'Migrate…' }))
    expect(router.state.location.pathname).toBe('/settings/migration')
  })

  it('names the command that drops what array files hold no more, and the page where the original is deleted', async () => {
    renderApp('/settings/storage', 'migrated', { 'GET /workspace/stats': () => ({ ...stats, reclaimable_bytes: 1_600_000 }) })
    expect(await screen.findByText(/npm run -s cli -- compact /)).toBeVisible()
    expect(screen.getByText(/^1\.6\sMB hold nothing any more/)).toBeVisible()
    const way = screen.getByText(/^294\sMB is the original store/).closest('li')
    expect(within(way ?? document.body).getByRole('link')).toHaveAttribute('href', expect.stringContaining('/settings/migration'))
  })

  it('asks for no command where next to nothing can be had back', async () => {
    renderApp('/settings/storage', 'migrated', {
      'GET /workspace/stats': () => ({ ...stats, reclaimable_bytes: 171 }),
      'GET /workspace/migrate/status': () => ({ ...migrateStatus('migrated'), backup_bytes: null }),
    })
    expect(await screen.findByText(/^Nothing worth freeing: 171\sB\.$/)).toBeVisible()
    expect(screen.queryByText(/You can free|cli -- compact/)).not.toBeInTheDocument()
  })

  it('names the array files that cannot be read, beside the check', async () => {
    renderApp('/settings/storage', 'migrated', {
      'GET /workspace/stats': () => ({ ...stats, unreadable_files: unreadableFiles.slice(0, 1) }),
    })
    expect(await screen.findByText('1 array file cannot be read: the values of 768 predictions are not shown.')).toBeVisible()
    expect(screen.getByText('arrays/wheat.parquet')).toBeVisible()
    expect(screen.getByRole('link', { name: 'Go to the check' })).toHaveAttribute('href', expect.stringContaining('#check'))
  })

  it('runs a check and shows what the last one found', async () => {
    const report = {
      passed: true,
      depth: 'deep',
      rows_checked: 1500,
      bytes_checked: 9,
      duration_seconds: 3,
      findings: [],
      proof_holds: true,
    }
    const job = migrationJob({ kind: 'verify', state: 'completed', report, ended_at: '2026-11-21T03:00:05.000Z' })
    const rows = [job]
    const { sent } = renderApp('/settings/storage', 'migrated', {
      'GET /jobs': () => ({ rows, total: rows.length }),
      'POST /workspace/migrate/verify': () => {
        rows.unshift(migrationJob({ kind: 'verify', job_id: 'job-3', created_at: '2026-11-21T04:00:00.000Z' }))
        return { job_id: 'job-3' }
      },
    })
    expect(await screen.findByText('Healthy')).toBeVisible()
    expect(screen.getByText(/The migration proof still holds/)).toBeVisible()
    await userEvent.click(screen.getByRole('button', { name: 'Check integrity' }))
    expect(sent.some((request) => request.method === 'POST' && request.path === '/workspace/migrate/verify')).toBe(true)
    expect(await screen.findByRole('button', { name: 'Checking…' })).toBeDisabled()
  })

  it('shows how far a check is by what it counts', async () => {
    const counted = { fraction: 0.25, done_rows: 0, total_rows: 0, done_bytes: 2000, total_bytes: 8000 }
    const job = migrationJob({ kind: 'verify', progress: { ...migrationJob({}).progress, ...counted, phase: 'verify', datasets: [] } })
    renderApp('/settings/storage', 'migrated', { 'GET /jobs': () => ({ rows: [job], total: 1 }) })
    expect(await screen.findByText(/^2\.0.kB of 8\.0.kB$/)).toBeVisible()
    expect(screen.queryByText(/of 0 rows/)).not.toBeInTheDocument()
  })

  it.each(['a roll back of ours', 'one by another program'])('shows no check of a state that is gone since: %s', async (by) => {
    const report = {
      passed: true,
      depth: 'deep',
      rows_checked: 1500,
      bytes_checked: 9,
      duration_seconds: 3,
      findings: [],
      proof_holds: true,
    }
    const at = (minute: number) => `2026-11-21T03:0${minute}:00.000Z`
    const check = migrationJob({ job_id: 'c', kind: 'verify', state: 'completed', report, created_at: at(1), ended_at: at(2) })
    const rollback = migrationJob({ job_id: 'r', kind: 'rollback', state: 'completed', report: null, created_at: at(3), ended_at: at(4) })
    const rows = by === 'a roll back of ours' ? [rollback, check] : [check]
    renderApp('/settings/storage', 'legacy', { 'GET /jobs': () => ({ rows, total: rows.length }) })
    expect(await screen.findByText(/was of another state: the workspace has been migrated or rolled back since/)).toBeVisible()
    expect(screen.queryByText(/proof still holds/)).not.toBeInTheDocument()
    expect(screen.queryByText('Healthy')).not.toBeInTheDocument()
  })

  it('words what a check found; a kind it does not know keeps its code', async () => {
    const finding = (code: string) => ({ code, severity: 'error', count: 1, detail: `What ${code} means.` })
    const report = {
      passed: false,
      depth: 'deep',
      rows_checked: 1500,
      bytes_checked: 9,
      duration_seconds: 3,
      findings: ['missing_array_file', 'predictions_without_arrays', 'of_a_later_release'].map(finding),
      proof_holds: null,
    }
    const job = migrationJob({ kind: 'verify', state: 'completed', report, ended_at: '2026-11-21T03:00:05.000Z' })
    renderApp('/settings/storage', 'migrated', { 'GET /jobs': () => ({ rows: [job], total: 1 }) })
    expect(await screen.findByText('array file missing')).toBeVisible()
    expect(screen.getByText('predictions without arrays')).toBeVisible()
    expect(screen.getByText('of_a_later_release')).toBeVisible()
    expect(screen.queryByText('missing_array_file')).not.toBeInTheDocument()
  })
})
