import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PredictionArrays, PredictionPage } from '@nirs-workspace/types'
import type { Page } from '@playwright/test'
import { unzip } from 'unzipit'
import { askApi, expect, goTo, test } from '../support/app-test.ts'
import { readParquet } from '../support/read-parquet.ts'

const sha256 = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex')

const total = (page: Page) => page.getByRole('grid', { name: 'Predictions' })

test('test_migration_then_browse: from a legacy workspace to Parquet, downloads, and back', async ({ page, opened }) => {
  const store = join(opened.path, 'store.duckdb')
  const original = await sha256(store)

  await test.step('the banner offers a dry run', async () => {
    const banner = page.getByText('Legacy array storage.')
    await expect(banner).toBeVisible()
    await page
      .getByRole('link', { name: 'Preview', exact: true })
      .or(page.getByRole('button', { name: 'Preview', exact: true }))
      .first()
      .click()
    await expect(page.getByRole('heading', { name: 'What the migration would do' })).toBeVisible()
    await expect(page.getByText('Nothing has been changed. This plan was made by reading only.')).toBeVisible()
    await expect(
      page
        .getByRole('cell', { name: 'wheat_protein', exact: true })
        .or(page.getByRole('rowheader', { name: 'wheat_protein' }))
        .first(),
    ).toBeVisible()
    expect(await sha256(store)).toBe(original)
  })

  await test.step('migrate with progress, then the report', async () => {
    await page.getByRole('button', { name: 'Migrate now' }).click()
    await expect(page.getByRole('heading', { name: 'Migration finished' })).toBeVisible()
    await expect(page.getByText(/rows compared value by value, none differs/)).toBeVisible()
    await expect(page.getByText('Legacy array storage.')).toBeHidden()
  })

  await test.step('browse, filter, sort', async () => {
    await page
      .getByRole('link', { name: 'Open predictions' })
      .or(page.getByRole('button', { name: 'Open predictions' }))
      .first()
      .click()
    await expect(total(page)).toHaveAttribute('aria-rowcount', '1571')
    await page.getByRole('checkbox', { name: /soil_carbon/ }).check()
    await expect(total(page)).toHaveAttribute('aria-rowcount', '273')
    await page.getByRole('columnheader', { name: /Val score/ }).click()
    await expect(page.getByRole('columnheader', { name: /Val score/ })).toHaveAttribute('aria-sort', 'ascending')
  })

  await test.step('a row shows predicted against measured', async () => {
    await page.getByRole('grid', { name: 'Predictions' }).getByRole('row').nth(1).getByRole('gridcell').first().dblclick()
    await expect(
      page
        .getByRole('img', { name: /Predicted against measured values/ })
        .or(page.getByLabel(/Predicted against measured values/))
        .first(),
    ).toBeVisible()
    await expect(page.getByText(/n = \d+, R² = /)).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(page.getByRole('complementary', { name: 'Prediction' })).toBeHidden()
  })

  await test.step('the Parquet file of a dataset holds what the server shows', async () => {
    const rows = await readParquet(await downloadExport(page, ['soil_carbon'], opened.path))
    expect(rows).toHaveLength(272)
    await compareWithServer(page, rows)
  })

  await test.step('the ZIP of two datasets holds two Parquet files and a manifest', async () => {
    const { entries } = await unzip(
      new Uint8Array(await readFile(await downloadExport(page, ['soil_carbon', 'milk_adulteration'], opened.path))),
    )
    expect(Object.keys(entries).toSorted()).toEqual(['manifest.json', 'milk_adulteration.parquet', 'soil_carbon.parquet'])
    const milk = entries['milk_adulteration.parquet']
    if (milk === undefined) throw new Error('the ZIP lacks a dataset')
    const rows = await readParquet(new Uint8Array(await milk.arrayBuffer()))
    expect(rows).toHaveLength(122)
    await compareWithServer(page, rows)
  })

  await test.step('roll back brings the original back, byte for byte', async () => {
    await goTo(page, 'Settings')
    await page.getByRole('link', { name: 'Migration', exact: true }).click()
    await page.getByRole('button', { name: 'Roll back…' }).click()
    await page.getByRole('dialog').or(page.getByRole('alertdialog')).getByRole('button', { name: 'Roll back', exact: true }).click()
    await expect(page.getByText('Legacy array storage.')).toBeVisible()
    expect(await sha256(store)).toBe(original)
  })
})

/** Chooses datasets in the export dialog and saves what the browser gets. */
const downloadExport = async (page: Page, datasets: readonly string[], folder: string): Promise<string> => {
  await page.getByRole('button', { name: 'Export…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Export predictions' })
  const useFilters = dialog.getByRole('checkbox', { name: 'Only what the table shows now' })
  if (await useFilters.isVisible()) await useFilters.uncheck()
  for (const name of ['wheat_protein', 'forage_dry_matter', 'olive_oil_origin', 'soil_carbon', 'milk_adulteration']) {
    await dialog.getByRole('checkbox', { name: new RegExp(name) }).setChecked(datasets.includes(name))
  }
  const saved = page.waitForEvent('download')
  await dialog.getByRole('button', { name: 'Download' }).click()
  const download = await saved
  expect(download.suggestedFilename()).toMatch(datasets.length === 1 ? /\.parquet$/ : /\.zip$/)
  const path = join(folder, '..', download.suggestedFilename())
  await download.saveAs(path)
  return path
}

/** Every row of the file against the arrays that the server answers. */
const compareWithServer = async (page: Page, rows: readonly Record<string, unknown>[]): Promise<void> => {
  for (const row of rows.slice(0, 20)) {
    const arrays = PredictionArrays.parse(await askApi(page, `/predictions/${String(row.prediction_id)}/arrays`))
    expect(row.y_true).toEqual(arrays.y_true)
    expect(row.y_pred).toEqual(arrays.y_pred)
    expect(row.y_proba ?? null).toEqual(arrays.y_proba)
  }
  const listed = PredictionPage.parse(await askApi(page, `/predictions?limit=1000&dataset_name=${String(rows[0]?.dataset_name)}`))
  expect(rows.map((row) => row.prediction_id).toSorted()).toEqual(listed.rows.map((row) => row.prediction_id).toSorted())
}
