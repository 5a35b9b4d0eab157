import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { expect, test } from '../support/app-test.ts'

const pages = [
  '/',
  '/predictions',
  '/predictions?dataset_name=olive_oil_origin',
  '/runs',
  '/settings/storage',
  '/settings/migration?step=review',
  '/settings/workspaces',
]

const serious = async (page: Page) => {
  // There are no frames; without this mode every look opens another page and takes three times as long.
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`)
}

const settled = async (page: Page): Promise<void> => {
  await expect(page.getByRole('main')).toBeVisible()
  await expect(page.locator('.skeleton')).toHaveCount(0)
}

// Axe looks at every element of every page; on a busy machine that takes minutes.
test.setTimeout(300_000)

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme })

    test(`axe finds nothing serious on any page (${colorScheme})`, async ({ page, opened }) => {
      for (const path of pages) {
        await page.goto(`${opened.server.origin}${path}`)
        await settled(page)
        expect.soft(await serious(page), path).toEqual([])
      }
    })

    test(`axe finds nothing serious beside the table and in the export dialog (${colorScheme})`, async ({ page, opened }) => {
      await page.goto(`${opened.server.origin}/predictions?dataset_name=wheat_protein`)
      await settled(page)
      await page.getByRole('grid').getByRole('row').nth(1).getByRole('gridcell').first().dblclick()
      await expect(page.getByText(/n = \d+, R² = /)).toBeVisible()
      expect.soft(await serious(page), 'row beside the table').toEqual([])
      await page.getByRole('button', { name: 'Export…' }).click()
      await expect(page.getByRole('dialog')).toBeVisible()
      expect.soft(await serious(page), 'export dialog').toEqual([])
    })

    test(`axe finds nothing serious among columns and jobs, and at 480 pixels (${colorScheme})`, async ({ page, opened }) => {
      await page.goto(`${opened.server.origin}/predictions`)
      await settled(page)
      await page.getByRole('button', { name: 'Columns' }).click()
      await expect(page.getByRole('button', { name: 'Pin Model to the left' })).toBeVisible()
      expect.soft(await serious(page), 'columns').toEqual([])
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'Jobs' }).click()
      await expect(page.getByRole('dialog', { name: 'Jobs' })).toBeVisible()
      expect.soft(await serious(page), 'jobs').toEqual([])
      await page.keyboard.press('Escape')
      await page.setViewportSize({ width: 480, height: 900 })
      await page.goto(`${opened.server.origin}/predictions`)
      await settled(page)
      expect.soft(await serious(page), 'narrow').toEqual([])
    })

    test(`axe finds nothing serious in the palette, also when searched and at 320 pixels (${colorScheme})`, async ({ page, opened }) => {
      await page.goto(opened.server.origin)
      await settled(page)
      await page.keyboard.press('Control+k')
      const field = page.getByRole('combobox', { name: /^Page, dataset/ })
      await expect(field).toBeFocused()
      await expect(page.getByRole('option', { name: /wheat_protein/ })).toBeVisible()
      expect.soft(await serious(page), 'palette').toEqual([])
      await page.setViewportSize({ width: 320, height: 640 })
      await field.fill('protein wheat')
      await expect(page.getByRole('option')).toHaveCount(2)
      expect.soft(await serious(page), 'searched').toEqual([])
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320)
      await page.keyboard.press('Enter')
      await expect(page).toHaveURL(/\/predictions\?.*dataset_name=wheat_protein/)
    })
  })
}
