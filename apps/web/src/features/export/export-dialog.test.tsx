import { ExportCount, ExportRequest, Facets } from '@nirs-workspace/types'
import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it, vi } from 'vitest'
import { type Answer, problem, renderApp, type Sent } from '../../../test/app.tsx'
import { stats, unreadableFiles } from '../../../test/data.ts'
import { directUrl, type ExportForm, exportRequest, fileNameOf } from './export-request.ts'

const form: ExportForm = {
  datasets: ['Blé / 2'],
  choice: 'parquet',
  layout: 'prediction',
  partition: undefined,
  model: undefined,
  filters: undefined,
}

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

describe('an export of what the table shows', () => {
  const counted = (filtered: Readonly<Record<string, number>>) => ({
    'POST /aggregated-predictions/export/count': ({ body }: Sent) => {
      const counts = ExportRequest.parse(body).filters === undefined ? { wheat: 768, 'soil pH': 768 } : filtered
      return ExportCount.parse({
        predictions: Object.values(counts).reduce((sum, count) => sum + count, 0),
        datasets: Object.entries(counts).map(([dataset_name, predictions]) => ({
          dataset_name,
          predictions,
          removed: 0,
          without_arrays: 0,
        })),
        removals_damaged: false,
      })
    },
  })
  const openDialog = async (address: string, counts: Readonly<Record<string, number>>) => {
    const { sent } = renderApp(address, 'migrated', {
      ...counted(counts),
      'POST /aggregated-predictions/export': () =>
        new Response('PK', { headers: { 'content-disposition': 'attachment; filename="a.zip"' } }),
    })
    await userEvent.click(await screen.findByRole('button', { name: 'Export…' }))
    return { sent, dialog: within(await screen.findByRole('dialog')) }
  }

  it('offers no partition or model that the table does not show, until it takes what the table does not show', async () => {
    const { dialog } = await openDialog('/predictions?partition=test&model_name=Ridge&model_name=PLS-3', { wheat: 3 })
    const [partition, model] = [await dialog.findByLabelText('Partition'), dialog.getByLabelText('Model')]
    expect([optionsOf(partition), optionsOf(model)]).toEqual([['test'], ['as the table', 'Ridge', 'PLS-3']])
    await userEvent.click(dialog.getByRole('checkbox', { name: 'Only what the table shows now' }))
    expect(optionsOf(partition)).toEqual(['any', 'val'])
    await userEvent.selectOptions(partition, 'val')
    await userEvent.click(dialog.getByRole('checkbox', { name: 'Only what the table shows now' }))
    expect(partition).toHaveDisplayValue('test')
  })

  it('counts what comes out and names chosen datasets that nothing comes of', async () => {
    const { dialog, sent } = await openDialog('/predictions?partition=test', { wheat: 12 })
    expect(await dialog.findByText(/^1 dataset, 12 predictions, ≈ /)).toBeVisible()
    expect(dialog.getByText('Without a matching prediction, so left out: soil pH.')).toBeVisible()
    expect(dialog.getByRole('checkbox', { name: /wheat ?12 of 768 predictions/ })).toBeVisible()
    const asked = sent.find((request) => request.path === '/aggregated-predictions/export/count')?.body
    expect(ExportRequest.parse(asked)).toMatchObject({ filters: { equals: { partition: ['test'] } } })
    expect(dialog.getByRole('button', { name: 'Download' })).toBeEnabled()
  })

  it('cannot be begun when nothing matches, and says so', async () => {
    const { dialog } = await openDialog('/predictions?partition=nope', {})
    expect(await dialog.findByText(/No prediction of the chosen datasets matches/)).toBeVisible()
    expect(dialog.getByRole('button', { name: 'Download' })).toBeDisabled()
    await userEvent.click(dialog.getByRole('radio', { name: /One row per sample/ }))
    expect(await dialog.findByText(/No matching prediction of the chosen datasets has arrays/)).toBeVisible()
    await userEvent.click(dialog.getByRole('radio', { name: /One row per prediction/ }))
    await userEvent.click(dialog.getByRole('checkbox', { name: 'Only what the table shows now' }))
    expect(dialog.getByText(/2 datasets, 1.536 predictions/)).toBeVisible()
    expect(dialog.getByRole('button', { name: 'Download' })).toBeEnabled()
  })
})

const optionsOf = (select: HTMLElement) =>
  within(select)
    .getAllByRole('option')
    .map((option) => option.textContent)

describe('the model of an export', () => {
  const models = (values: readonly (string | null)[], distinct: number) =>
    Facets.parse({ total: 900, facets: { model_name: { values: values.map((value) => ({ value, count: 2 })), distinct } } })
  const openDialog = async (answer: Answer) => {
    const { sent } = renderApp('/predictions', 'migrated', {
      'GET /predictions/facets': answer,
      'POST /aggregated-predictions/export': () => new Response('PK'),
    })
    await userEvent.click(await screen.findByRole('button', { name: 'Export…' }))
    await screen.findByRole('button', { name: 'Download' })
    const dialog = within(screen.getByRole('dialog'))
    const download = async () => {
      await userEvent.click(dialog.getByRole('button', { name: 'Download' }))
      await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument())
      return ExportRequest.parse(sent.find(({ path }) => path === '/aggregated-predictions/export')?.body).filters
    }
    return { dialog, download, select: await dialog.findByLabelText('Model') }
  }

  it('may be the empty one, which is not any', async () => {
    const { select, download } = await openDialog(() => models(['PLS-3', null], 2))
    expect(optionsOf(select)).toEqual(['any', 'PLS-3', '(empty)'])
    await userEvent.selectOptions(select, '(empty)')
    expect(select).toHaveDisplayValue('(empty)')
    expect(await download()).toMatchObject({ equals: { model_name: [''] } })
  })

  it('is found by words when there are more than are listed, which is said', async () => {
    const many = models(
      Array.from({ length: 200 }, (_, place) => `PLS-${place}`),
      240,
    )
    const { dialog, select, download } = await openDialog(({ query }) =>
      query.get('q') === 'rare ridge' ? models(['Rare Ridge', 'PLS-7'], 2) : many,
    )
    expect(dialog.getByText('40 more not listed; search finds them')).toBeVisible()
    await userEvent.type(dialog.getByRole('searchbox', { name: 'Search Model' }), 'rare ridge')
    await waitFor(() => expect(optionsOf(select)).toEqual(['any', 'Rare Ridge']))
    expect(dialog.getByText('1 found, in the list above')).toBeVisible()
    await userEvent.selectOptions(select, 'Rare Ridge')
    await userEvent.clear(dialog.getByRole('searchbox', { name: 'Search Model' }))
    await waitFor(() => expect(optionsOf(select)).toHaveLength(202))
    expect(select).toHaveDisplayValue('Rare Ridge')
    expect(await download()).toMatchObject({ equals: { model_name: ['Rare Ridge'] } })
  })
})

describe('what a reader of an export should know', () => {
  it('is said before the download, of the chosen datasets, and stays to be read after it', async () => {
    const told = { predictions: 10, removed: 3, without_arrays: 1 }
    renderApp('/predictions', 'migrated', {
      'POST /aggregated-predictions/export/count': () =>
        ExportCount.parse({
          predictions: 20,
          datasets: ['wheat', 'soil pH'].map((dataset_name) => ({ dataset_name, ...told })),
          removals_damaged: true,
        }),
    })
    await userEvent.click(await screen.findByRole('button', { name: 'Export…' }))
    await screen.findByRole('button', { name: 'Download' })
    const dialog = within(screen.getByRole('dialog'))
    expect(await dialog.findByText('6 removed predictions that the metadata still knows are left out.')).toBeVisible()
    await userEvent.click(dialog.getByRole('checkbox', { name: /wheat/ }))
    const sentences = [
      'The list of removed predictions is damaged and is not applied.',
      '3 removed predictions that the metadata still knows are left out.',
      '1 of 10 predictions was stored without arrays: its row has none.',
    ]
    for (const sentence of sentences) expect(dialog.getByText(sentence)).toBeVisible()
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => undefined)
    await userEvent.click(dialog.getByRole('button', { name: 'Download' }))
    expect(await screen.findByText(`About this export: ${sentences.join(' ')}`)).toBeVisible()
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument()
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

describe('datasets whose array file cannot be read', () => {
  const damaged = { ...stats, unreadable_files: unreadableFiles.slice(0, 1) }
  const openDialog = async (answers: Record<string, Answer>, address = '/predictions') => {
    const { sent } = renderApp(address, 'migrated', { 'GET /workspace/stats': () => damaged, ...answers })
    await userEvent.click(await screen.findByRole('button', { name: 'Export…' }))
    return { sent, dialog: await screen.findByRole('dialog') }
  }

  it('are marked and left out until they are asked for; then what the server says is shown', async () => {
    const sentence = 'arrays/wheat.parquet is damaged: the arrays of "wheat" cannot be read. Nothing was written.'
    const { dialog, sent } = await openDialog({
      'POST /aggregated-predictions/export': () => problem(409, 'arrays_corrupt', sentence),
    })
    const wheat = await within(dialog).findByRole('checkbox', { name: /wheat ?arrays unreadable/ })
    expect(wheat).not.toBeChecked()
    expect(within(dialog).getByRole('checkbox', { name: /soil pH/ })).toBeChecked()
    expect(within(dialog).getByRole('checkbox', { name: /soil pH/ })).not.toHaveAccessibleName(/unreadable/)
    await userEvent.click(wheat)
    await userEvent.click(within(dialog).getByRole('checkbox', { name: /soil pH/ }))
    await userEvent.click(within(dialog).getByRole('button', { name: 'Download' }))
    expect(await within(dialog).findByRole('alert')).toHaveTextContent(sentence)
    const body = ExportRequest.parse(sent.find((request) => request.path === '/aggregated-predictions/export')?.body)
    expect(body.dataset_names).toEqual(['wheat'])
  })

  it('are chosen when they are the only one that the table shows', async () => {
    const { dialog } = await openDialog({}, '/predictions?dataset_name=wheat')
    expect(await within(dialog).findByRole('checkbox', { name: /wheat ?arrays unreadable/ })).toBeChecked()
    expect(within(dialog).getByRole('checkbox', { name: /soil pH/ })).not.toBeChecked()
  })
})

it('a download that is cut off says that nothing whole came and what to do', async () => {
  const cut = () =>
    new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new Uint8Array(2000)),
      pull: (controller) => controller.error(new TypeError('network error')),
    })
  const saved = vi.fn(() => 'blob:x')
  vi.stubGlobal('URL', Object.assign(URL, { createObjectURL: saved, revokeObjectURL: () => {} }))
  renderApp('/predictions', 'migrated', { 'POST /aggregated-predictions/export': () => new Response(cut()) })
  await userEvent.click(await screen.findByRole('button', { name: 'Export…' }))
  const dialog = await screen.findByRole('dialog')
  await userEvent.click(await within(dialog).findByRole('button', { name: 'Download' }))
  const alert = await within(dialog).findByRole('alert')
  expect(alert).toHaveTextContent(/was cut off after 2\.0\skB.*incomplete and was not saved.*Try again.*integrity check/)
  expect(alert).not.toHaveTextContent('network error')
  expect(saved).not.toHaveBeenCalled()
})

describe('export request', () => {
  it('leaves one unfiltered dataset to the browser, with its name in the address', () => {
    expect(directUrl({ ...form, partition: 'test' }, 'w1')).toBe(
      '/api/aggregated-predictions/export/Bl%C3%A9%20%2F%202.parquet?workspace=w1&partition=test',
    )
    expect(directUrl({ ...form, model: '' }, 'w1')).toMatch(/\?workspace=w1&model_name=$/)
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
