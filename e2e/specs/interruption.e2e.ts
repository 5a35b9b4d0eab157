import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { PredictionArrays, PredictionPage, StorageStatus } from '@nirs-workspace/types'
import type { Page } from '@playwright/test'
import { askApi, expect, test } from '../support/app-test.ts'

test.use({ demo: 'hundred-thousand' })

const arraysOf = async (page: Page, ids: readonly string[]) =>
  Promise.all(ids.map(async (id) => PredictionArrays.parse(await askApi(page, `/predictions/${id}/arrays`))))

test('the program is killed in the middle of a migration, started again, and finishes it', async ({ page, opened }) => {
  const listed = PredictionPage.parse(await askApi(page, '/predictions?has_arrays=true&limit=12&offset=4000'))
  const ids = listed.rows.map((row) => row.prediction_id)
  const before = await arraysOf(page, ids)

  await page.goto(`${opened.server.origin}/settings/migration?step=review`)
  await page.getByRole('button', { name: 'Migrate now' }).click()
  await expect(page.getByRole('progressbar').first()).toBeVisible()
  await expect
    .poll(
      () =>
        stat(join(opened.path, 'arrays')).then(
          () => true,
          () => false,
        ),
      { intervals: [20], timeout: 240_000 },
    )
    .toBe(true)
  await opened.server.kill()

  const again = await opened.restart()
  await page.goto(again.url)
  await expect.poll(async () => StorageStatus.parse(await askApi(page, '/workspace/storage-status')).interrupted_job).toBeNull()
  expect(await arraysOf(page, ids)).toEqual(before)

  await page.goto(`${again.origin}/settings/migration?step=review`)
  await page.getByRole('button', { name: 'Migrate now' }).click()
  await expect(page.getByRole('heading', { name: 'Migration finished' })).toBeVisible({ timeout: 240_000 })
  expect(StorageStatus.parse(await askApi(page, '/workspace/storage-status')).storage_mode).toBe('migrated')
  expect(await arraysOf(page, ids)).toEqual(before)
})
