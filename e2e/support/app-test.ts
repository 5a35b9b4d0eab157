import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test as base, expect, type Page } from '@playwright/test'
import { isolatedHome, type Server, startServer } from './server.ts'
import { type Demo, demoCopy } from './workspaces.ts'

interface Opened {
  readonly path: string
  readonly server: Server
  /** Starts the program again on the same workspace, caches and settings kept. */
  restart(): Promise<Server>
  /** The same under the same address and token, as for a page that stayed open. */
  comeBack(): Promise<void>
}

interface Fixtures {
  /** Which demo the test starts from; set with `test.use`. */
  demo: Demo
  /** A running program on a private copy of the demo; the page is already on its start address. */
  opened: Opened
}

/** Tests get a real server on a private copy of a workspace; any request to another machine fails the test. */
export const test = base.extend<Fixtures>({
  demo: ['small', { option: true }],
  opened: [
    async ({ demo, page }, use) => {
      const copy = await demoCopy(demo)
      const home = await isolatedHome()
      let server = await startServer([copy.path], home.env)
      const foreign: string[] = []
      page.on('request', (request) => {
        const { hostname, protocol } = new URL(request.url())
        if (protocol !== 'blob:' && protocol !== 'data:' && hostname !== '127.0.0.1') foreign.push(request.url())
      })
      await page.goto(server.url)
      await use({
        path: copy.path,
        get server() {
          return server
        },
        restart: async () => {
          server = await startServer([copy.path], home.env)
          return server
        },
        comeBack: async () => {
          const { port, searchParams } = new URL(server.url)
          const tokenFile = join(copy.path, '..', 'token')
          await writeFile(tokenFile, searchParams.get('token') ?? '')
          server = await startServer([copy.path], home.env, { port, tokenFile })
        },
      })
      await server.kill()
      await copy.remove()
      await home.remove()
      expect(foreign, 'requests that left this machine').toEqual([])
    },
    { auto: true },
  ],
})

export { expect }

/** Follows a link of the main navigation. */
export const goTo = async (page: Page, name: 'Overview' | 'Predictions' | 'Runs' | 'Settings'): Promise<void> => {
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name }).click()
}

/** The same-origin API, as the page would ask it: while the catalog is being built it asks again. */
export const askApi = async (page: Page, path: string): Promise<unknown> =>
  page.evaluate(async (address) => {
    for (;;) {
      const response = await fetch(address)
      if (response.ok) return response.json()
      const problem = await response.text()
      if (!problem.includes('catalog_building')) throw new Error(`${address}: ${response.status} ${problem}`)
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }, `/api${path}`)
