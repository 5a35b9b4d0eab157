import { expect, goTo, test } from '../support/app-test.ts'

test('the server stops while a page is open: the page says so, keeps its frame, and goes on when the server is back', async ({
  page,
  opened,
}) => {
  await expect(page.getByRole('heading', { name: 'Datasets' })).toBeVisible()
  const address = page.url()
  await opened.server.stop()

  await test.step('a banner tells what happened and how to go on', async () => {
    await expect(page.getByRole('alert').getByText('The server has stopped or cannot be reached.')).toBeVisible()
    await expect(page.getByText('This page reconnects by itself.')).toBeVisible()
    await expect(page.getByRole('heading', { name: 'Datasets' })).toBeVisible()
  })

  await test.step('a page that was not loaded yet fails inside the frame', async () => {
    await goTo(page, 'Runs')
    await expect(page.getByRole('heading', { name: 'This part of the app could not be loaded' })).toBeVisible()
    await expect(page.getByRole('navigation', { name: 'Main' })).toBeVisible()
    expect(new URL(page.url()).origin).toBe(new URL(address).origin)
  })

  await test.step('it goes on by itself', async () => {
    await opened.comeBack()
    await expect(page.getByText('The server has stopped or cannot be reached.')).toBeHidden()
    await expect(page.getByRole('heading', { name: 'Runs', level: 1 })).toBeVisible()
    await expect(page.getByRole('table')).toBeVisible()
  })
})
