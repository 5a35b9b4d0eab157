import { expect, goTo, test } from '../support/app-test.ts'

test('columns are moved by mouse and keys, pinned columns stay, and all of it comes back', async ({ page }) => {
  await goTo(page, 'Predictions')
  const headers = page.getByRole('columnheader')
  const header = (name: RegExp) => page.getByRole('columnheader', { name })
  await expect(headers.first()).toHaveText('Dataset')
  // The bars above push the table down when they come: what is dragged by then would be let go beside its place.
  for (const bar of ['Legacy array storage.', 'Scores here are in different metrics']) await expect(page.getByText(bar)).toBeVisible()
  await header(/^Model/).dragTo(header(/^Dataset/))
  await expect(headers.first()).toHaveText('Model')
  await header(/^Model/).focus()
  await page.keyboard.press('Alt+Shift+ArrowRight')
  await expect(headers.first()).toHaveText('Dataset')
  await page.getByRole('button', { name: 'Columns' }).click()
  await page.getByRole('button', { name: 'Pin Model to the left' }).click()
  await page.keyboard.press('Escape')
  await expect(headers.first()).toHaveText('Model')
  await page.getByRole('grid').evaluate((grid) => {
    grid.scrollLeft = 400
  })
  await expect(headers.first()).toBeInViewport()
  const left = await page.getByRole('grid').boundingBox()
  expect((await headers.first().boundingBox())?.x).toBe(left?.x)
  await page.reload()
  await expect(headers.first()).toHaveText('Model')
})

test('a check runs in the background and is found in the drawer on another page', async ({ page }) => {
  await goTo(page, 'Settings')
  await page.getByRole('button', { name: 'Check integrity' }).click()
  await goTo(page, 'Runs')
  await page.keyboard.press('j')
  const drawer = page.getByRole('dialog', { name: 'Jobs' })
  await expect(drawer.getByRole('listitem').getByText('Verification')).toBeVisible()
  await expect(drawer.getByText('Done')).toBeVisible()
  await drawer.getByRole('link', { name: 'Show' }).click()
  await expect(drawer).toBeHidden()
  await expect(page.getByText('Healthy')).toBeVisible()
})

test('a sample pinned in the chart is marked among the residuals and in the list', async ({ page, opened }) => {
  await page.goto(`${opened.server.origin}/predictions?dataset_name=wheat_protein&partition=val&fold_kind=fold`)
  await page.getByRole('grid').getByRole('row').nth(1).hover()
  await page
    .getByRole('grid')
    .getByRole('row')
    .nth(1)
    .getByRole('button', { name: /Open beside the table/ })
    .click()
  const chart = page.getByRole('img', { name: /Predicted against measured values/ })
  await chart.focus()
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Enter')
  const name = (await chart.getByText(/^Sample \d+$/).textContent()) ?? ''
  await page.getByRole('tab', { name: 'Residuals' }).click()
  await expect(page.getByRole('img', { name: /Residuals/ }).getByText(name)).toBeVisible()
  await page.getByRole('tab', { name: 'Samples' }).click()
  await expect(page.getByRole('button', { name: `Unpin ${name.toLowerCase()}`, pressed: true })).toBeInViewport()
})
