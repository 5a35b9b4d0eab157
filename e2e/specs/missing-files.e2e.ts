import { rename, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { askApi, expect, goTo, test } from '../support/app-test.ts'

const serious = async (page: Page) => {
  const { violations } = await new AxeBuilder({ page }).include('main').analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])
}

/** Moves the arrays of the open workspace into Parquet files. */
const migrate = async (page: Page): Promise<void> => {
  await page.evaluate(async () => {
    const headers = { 'content-type': 'application/json' }
    await fetch('/api/workspace/migrate', { method: 'POST', headers, body: '{"dry_run":false}' })
  })
  await expect.poll(() => askApi(page, '/jobs').then(JSON.stringify)).toContain('"state":"completed"')
}

test('array files are cut short and moved away, then the whole folder: the pages name what is gone, and go on when it is back', async ({
  page,
  opened,
}) => {
  const { origin } = new URL(page.url())
  await migrate(page)

  await test.step('the overview names the files and leads to the check', async () => {
    await truncate(join(opened.path, 'arrays', 'wheat_protein.parquet'), 1000)
    await rename(join(opened.path, 'arrays', 'olive_oil_origin.parquet'), join(opened.path, '..', 'moved.parquet'))
    await expect(page.getByText(/^2 array files cannot be read: the values of [\d,]+ predictions are not shown\.$/)).toBeVisible()
    expect(await serious(page)).toEqual([])
    await page.getByRole('link', { name: 'Go to the check' }).click()
    await expect(page.getByRole('button', { name: 'Check integrity' })).toBeInViewport()
  })

  await test.step('beside the table the file is named, never “stored without values”', async () => {
    await page.goto(`${origin}/predictions?dataset_name=wheat_protein`)
    await page.getByRole('grid').getByRole('row').nth(1).getByRole('gridcell').first().dblclick()
    await expect(page.getByText('arrays/wheat_protein.parquet is damaged.')).toBeVisible()
    await expect(page.getByText(/stored without/)).toBeHidden()
    expect(await serious(page)).toEqual([])
  })

  const title = page.getByText('This workspace is no longer at its place.')
  await test.step('the folder is renamed: every page says so, and keeps what it shows', async () => {
    await rename(opened.path, `${opened.path}-renamed`)
    await expect(title).toBeVisible()
    await expect(page.getByRole('grid').getByRole('row').nth(1)).toBeVisible()
    await goTo(page, 'Settings')
    await expect(page.getByText('Not available while the workspace is away.')).toBeVisible()
    await expect(title).toBeVisible()
    expect(await serious(page)).toEqual([])
  })

  await test.step('it is back: the page recovers by itself', async () => {
    await rename(`${opened.path}-renamed`, opened.path)
    await expect(title).toBeHidden()
    await expect(page.getByText(/ in all$/)).toBeVisible()
  })

  await test.step('so do the values when the file is', async () => {
    await page.goto(`${origin}/predictions?dataset_name=olive_oil_origin`)
    await page.getByRole('grid').getByRole('row').nth(1).getByRole('gridcell').first().dblclick()
    await expect(page.getByText('arrays/olive_oil_origin.parquet is not there.')).toBeVisible()
    await rename(join(opened.path, '..', 'moved.parquet'), join(opened.path, 'arrays', 'olive_oil_origin.parquet'))
    await expect(page.getByRole('heading', { name: 'The values of this prediction cannot be read' })).toBeHidden()
    await expect(page.getByRole('tab', { name: 'Confusion' })).toBeVisible()
  })
})
