import type { Page } from '@playwright/test'
import { expect, test } from '../support/app-test.ts'

const pages = ['/', '/predictions', '/runs', '/settings/storage', '/settings/migration?step=review', '/settings/workspaces']

/** What is wider than the space it has, of everything that should only scroll up and down. */
const sideways = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll('header, nav, main, main > div')]
      .filter((element) => element.scrollWidth > element.clientWidth + 1)
      .map((element) => `${element.tagName} ${element.scrollWidth} > ${element.clientWidth}`),
  )

/** How much taller the document is than its window: pages scroll inside their frame, and nothing may stick out of it unseen. */
const sticksOut = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollHeight - document.documentElement.clientHeight)

for (const [width, height] of [
  [320, 640],
  [480, 800],
  [720, 450],
] as const) {
  test(`no page scrolls sideways at ${width} pixels`, async ({ page, opened }) => {
    await page.setViewportSize({ width, height })
    for (const path of pages) {
      await page.goto(`${opened.server.origin}${path}`)
      await expect(page.locator('.skeleton')).toHaveCount(0)
      expect.soft(await sideways(page), path).toEqual([])
      expect.soft(await sticksOut(page), path).toBe(0)
    }
    await page.goto(`${opened.server.origin}/settings/migration?step=review`)
    const start = page.getByRole('button', { name: 'Migrate now' })
    await start.scrollIntoViewIfNeeded()
    const box = await start.boundingBox()
    expect(box?.x ?? -1).toBeGreaterThanOrEqual(0)
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(width)
    await expect(page.getByRole('button', { name: /Keyboard shortcuts/ })).toBeInViewport()
  })
}
