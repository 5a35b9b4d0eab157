import { ExportRequest } from '@nirs-workspace/types'
import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it, vi } from 'vitest'
import { renderApp } from '../../../test/app.tsx'
import { stats } from '../../../test/data.ts'
import { directUrl, type ExportForm, exportRequest, fileNameOf } from './export-request.ts'

const form: ExportForm = { datasets: ['Blé / 2'], choice: 'parquet', layout: 'prediction', partition: '', model: '', filters: undefined }

describe('export dialog', () => {
  it('test_export_predictions_dialog: chosen datasets, format and the filters of the table become one request', async () => {
    vi.stubGlobal('URL', Object.assign(URL, { createObjectURL: () => 'blob:x', revokeObjectURL: () => {} }))
    const { sent } = renderApp('/predictions?partition=val', 'migrated', {
      'POST /aggregated-predictions/export': () =>
        new Response('PK', { headers: { 'content-disposition': `attachment; filename*=UTF-8''pr%C3%A9dictions.zip` } }),
    })
    const user = userEvent.setup()
    await user.click(await screen.findByRole('button', { name: 'Export…' }))
    await screen.findByText(/2 datasets, 1.536 predictions, 197 MB of arrays/)
    const dialog = screen.getByRole('dialog')
    await user.click(within(dialog).getByRole('radio', { name: /CSV for Excel in French/ }))
    await user.click(within(dialog).getByRole('radio', { name: /One row per sample/ }))
    await user.click(within(dialog).getByRole('button', { name: 'Download' }))
    await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument())
    expect(await screen.findByText(/Saved prédictions\.zip/)).toBeVisible()
    const body = ExportRequest.parse(sent.find((request) => request.path === '/aggregated-predictions/export')?.body)
    expect(body).toMatchObject({
      dataset_names: ['wheat', 'soil pH'],
      format: 'csv',
      csv_dialect: 'excel-fr',
      layout: 'sample',
      filters: { equals: { partition: ['val'] } },
    })
  })
})

describe('datasets of the export dialog', () => {
  it('are there at once, their sizes when the store has been looked at', async () => {
    const looked = Promise.withResolvers<void>()
    renderApp('/predictions', 'legacy', {
      'GET /workspace/stats': async () => {
        await looked.promise
        return {
          ...stats,
          datasets: stats.datasets.map((each) => ({ ...each, parquet_bytes: 0, bytes: 1_500_000, bytes_are_estimate: true })),
        }
      },
    })
    await userEvent.click(await screen.findByRole('button', { name: 'Export…' }))
    const dialog = await screen.findByRole('dialog')
    expect(await within(dialog).findByRole('checkbox', { name: /wheat ?768 predictions/ })).toBeChecked()
    expect(within(dialog).queryByText(/MB/)).not.toBeInTheDocument()
    looked.resolve()
    expect(await within(dialog).findAllByText(/^≈ 1\.5\sMB$/)).toHaveLength(2)
    expect(within(dialog).getByText(/≈ 3\.0\sMB of arrays/)).toBeVisible()
  })
})

describe('export request', () => {
  it('leaves one unfiltered dataset to the browser, with its name in the address', () => {
    expect(directUrl({ ...form, partition: 'test' }, 'w1')).toBe(
      '/api/aggregated-predictions/export/Bl%C3%A9%20%2F%202.parquet?workspace=w1&partition=test',
    )
    expect(directUrl({ ...form, layout: 'sample' }, 'w1')).toBeUndefined()
    expect(directUrl({ ...form, datasets: ['a', 'b'] }, 'w1')).toBeUndefined()
  })

  it('is what the contract says, for every choice', () => {
    for (const choice of ['parquet', 'zip', 'csv', 'csv-excel-fr', 'arrow'] as const) {
      expect(ExportRequest.safeParse(exportRequest({ ...form, choice, model: 'PLS' })).success).toBe(true)
    }
  })

  it('reads the file name a server gives', () => {
    expect(fileNameOf(`attachment; filename="a.zip"; filename*=UTF-8''bl%C3%A9.zip`, 'x')).toBe('blé.zip')
    expect(fileNameOf('attachment; filename="a.zip"', 'x')).toBe('a.zip')
    expect(fileNameOf(null, 'x')).toBe('x')
  })
})
