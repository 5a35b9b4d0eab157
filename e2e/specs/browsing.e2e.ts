import { Facets } from '@nirs-workspace/types'
import { askApi, expect, goTo, test } from '../support/app-test.ts'

test.describe('one hundred thousand rows', () => {
  test.use({ demo: 'hundred-thousand' })

  test('scroll bar and keys reach the last row', async ({ page }) => {
    await goTo(page, 'Predictions')
    const grid = page.getByRole('grid', { name: 'Predictions' })
    // The catalog of so many rows is read first; a busy machine takes its time.
    await expect(grid).toHaveAttribute('aria-rowcount', '100001')
    await grid.evaluate((element) => {
      element.scrollTop = element.scrollHeight
    })
    const last = grid.locator('[aria-rowindex="100001"]')
    await expect(last.getByRole('gridcell').first()).not.toBeEmpty()
    await expect(last).not.toHaveAttribute('aria-busy', 'true')
    await grid.getByRole('row').nth(2).getByRole('gridcell').first().click()
    await page.keyboard.press('Control+Home')
    await expect(grid.locator('[aria-rowindex="2"]')).toBeVisible()
    await page.keyboard.press('Control+End')
    await expect(last).not.toHaveAttribute('aria-busy', 'true')
    await expect(last.locator('[data-cursor]')).toBeFocused()
  })

  test('search narrows everything down and the address keeps it', async ({ page }) => {
    await goTo(page, 'Predictions')
    const grid = page.getByRole('grid', { name: 'Predictions' })
    await page.getByRole('searchbox', { name: 'Search predictions' }).fill('ridge wheat')
    await expect(page).toHaveURL(/q=ridge/)
    const { total } = Facets.parse(await askApi(page, '/predictions/facets?q=ridge%20wheat'))
    expect(total).toBeGreaterThan(0)
    await expect(grid).toHaveAttribute('aria-rowcount', String(total + 1))
    await page.reload()
    await expect(grid).toHaveAttribute('aria-rowcount', String(total + 1))
    await page.getByRole('checkbox', { name: /^test/ }).check()
    await expect(grid).not.toHaveAttribute('aria-rowcount', String(total + 1))
    await page.goBack()
    await expect(grid).toHaveAttribute('aria-rowcount', String(total + 1))
  })
})

test('keyboard alone: open a row, walk down, close', async ({ page }) => {
  // Before the page is there nobody listens to keys.
  await expect(page.getByRole('navigation', { name: 'Main' })).toBeVisible()
  await page.keyboard.press('g')
  await page.keyboard.press('p')
  const grid = page.getByRole('grid', { name: 'Predictions' })
  await expect(grid).toHaveAttribute('aria-rowcount', '1571')
  await expect(grid.locator('[aria-rowindex="2"]')).not.toHaveAttribute('aria-busy', 'true')
  for (
    let step = 0;
    step < 60 &&
    !(await grid
      .locator('[data-cursor]')
      .first()
      .evaluate((cell) => cell === document.activeElement));
    step += 1
  ) {
    await page.keyboard.press('Tab')
  }
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  const peek = page
    .getByRole('complementary', { name: 'Prediction' })
    .or(page.getByRole('region', { name: 'Prediction' }))
    .first()
  await expect(peek).toBeVisible()
  const first = page.url()
  await page.keyboard.press('ArrowDown')
  await expect(page).not.toHaveURL(first)
  await expect(peek).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(peek).toBeHidden()
})
