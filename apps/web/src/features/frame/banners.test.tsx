import type { Job, StorageMode } from '@nirs-workspace/types'
import { act, screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'
import { renderApp } from '../../../test/app.tsx'
import { migrationJob, overviewOf, storageStatus } from '../../../test/data.ts'

const banner = () => screen.findByText('Legacy array storage.')

describe('banner', () => {
  it('test_migration_banner_shows_on_legacy: with time, sizes and both ways on', async () => {
    renderApp('/', 'legacy')
    const sentence = (await banner()).parentElement
    await waitFor(() => expect(sentence).toHaveTextContent(/Migrate to Parquet: about 8 s, 294 MB → 201 MB, original kept\./))
    expect(screen.getByRole('link', { name: 'Preview' })).toHaveAttribute(
      'href',
      expect.stringContaining('/settings/migration?step=review'),
    )
    expect(screen.getByRole('link', { name: 'Migrate…' })).toHaveAttribute('href', expect.stringContaining('/settings/migration'))
  })

  it('test_migration_banner_hidden_on_migrated', async () => {
    renderApp('/', 'migrated')
    await screen.findByText('/data/grain-lab')
    expect(screen.queryByText('Legacy array storage.')).not.toBeInTheDocument()
  })

  it('is hidden for the visit when dismissed', async () => {
    renderApp('/', 'legacy')
    await banner()
    await userEvent.click(screen.getByRole('button', { name: 'Hide until the next visit' }))
    expect(screen.queryByText('Legacy array storage.')).not.toBeInTheDocument()
  })

  it('says that a migration runs, and that arrays are lost, also when the offer to migrate was dismissed', async () => {
    const state: { mode: StorageMode; jobs: Job[] } = { mode: 'legacy', jobs: [] }
    const { client } = renderApp('/', 'legacy', {
      'GET /jobs': () => ({ rows: state.jobs, total: state.jobs.length }),
      'GET /workspace/storage-status': () => storageStatus(state.mode),
    })
    await banner()
    const dismiss = () => userEvent.click(screen.getByRole('button', { name: 'Hide until the next visit' }))
    await dismiss()
    state.jobs = [migrationJob({})]
    await act(() => client.invalidateQueries())
    expect(await screen.findByText(/Migration is running/)).toBeVisible()
    Object.assign(state, { mode: 'lost_arrays', jobs: [] })
    await act(() => client.invalidateQueries())
    expect(await screen.findByText(/Keep that file\./)).toBeVisible()
    await dismiss()
    expect(screen.queryByText(/Keep that file\./)).not.toBeInTheDocument()
    state.mode = 'legacy'
    await act(() => client.invalidateQueries())
    await waitFor(() => expect(client.isFetching()).toBe(0))
    expect(screen.queryByText('Legacy array storage.')).not.toBeInTheDocument()
  })

  it('says where lost arrays are', async () => {
    renderApp('/', 'lost_arrays', {
      'GET /overview': () => overviewOf({}),
      'GET /workspace/inspect': () => ({
        findings: [
          { code: 'missing_artifact_files', severity: 'info', count: 9, detail: '' },
          { code: 'predictions_without_arrays', severity: 'error', count: 447, detail: '' },
        ],
      }),
    })
    expect(await screen.findByText(/447 predictions lost their arrays .* still in store\.duckdb\.bak .*Keep that file\./)).toBeVisible()
    expect(screen.getByText('npm run -s cli -- rescue /data/grain-lab')).toBeVisible()
    expect(await screen.findByText('447 of them only in store.duckdb.bak')).toBeVisible()
  })

  it('names the process that holds the store', async () => {
    renderApp('/', 'migrated', {
      'GET /workspace/storage-status': () => storageStatus('migrated', { locked_by: { pid: 4711, command: 'python train.py' } }),
    })
    expect(await screen.findByText(/open in python train\.py \(PID 4711\)/)).toBeVisible()
  })

  it('shows progress instead of an offer while a migration runs', async () => {
    renderApp('/', 'legacy', { 'GET /jobs': () => ({ rows: [migrationJob({})], total: 1 }) })
    expect(await screen.findByText(/Migration is running/)).toBeVisible()
    expect(screen.getByRole('button', { name: /Migration 42/ })).toBeVisible()
    expect(screen.queryByText('Legacy array storage.')).not.toBeInTheDocument()
  })
})
