import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { UsageError } from './output.ts'
import { pageAddress, runServer } from './run-server.ts'
import type { ServeOptions } from './serve-options.ts'

const home = await mkdtemp(join(tmpdir(), 'nirs-home-'))
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})
afterAll(() => rm(home, { recursive: true, force: true }))

const options: ServeOptions = {
  port: 0,
  host: '127.0.0.1',
  allowedNames: [],
  open: false,
  token: undefined,
  readOnly: false,
  workspaceRoot: undefined,
  isNetwork: false,
}

test('an address or port that cannot be listened on is a mistake of the call, not of the program', async () => {
  vi.stubEnv('NIRS_WORKSPACE_HOME', home)
  const refusalOf = async (given: Partial<ServeOptions>) => {
    const refusal: unknown = await runServer([], { ...options, ...given }, {}).catch((error: unknown) => error)
    return refusal instanceof UsageError ? refusal.message : refusal
  }
  expect(await refusalOf({ host: '192.0.2.1' })).toMatch(/cannot listen on 192\.0\.2\.1, port 0 \(EADDRNOTAVAIL\)/)
  const last = createServer().on('error', () => undefined)
  await new Promise<void>((resolve) => {
    last.once('listening', resolve).once('error', () => resolve())
    last.listen(65_535, '127.0.0.1')
  })
  expect(await refusalOf({ port: 65_535 })).toMatch(/port 65535 \(EADDRINUSE\)/)
  last.close()
})

test.skipIf(process.platform !== 'linux')(
  'H18: the browser is opened with a code, as others see the arguments of its process',
  async () => {
    const opened = join(home, 'opened')
    await writeFile(join(home, 'xdg-open'), `#!/bin/sh\nprintf %s "$1" > "${opened}.part" && mv "${opened}.part" "${opened}"\n`, {
      mode: 0o755,
    })
    for (const [name, value] of Object.entries({ NIRS_WORKSPACE_HOME: home, CI: '', DISPLAY: ':1', PATH: `${home}:${process.env.PATH}` }))
      vi.stubEnv(name, value)
    vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    const ended = runServer([], { ...options, token: 'the-token', open: true }, {})
    const address = await vi.waitFor(() => readFile(opened, 'utf8'), { timeout: 120_000 })
    const answer = await fetch(address, { redirect: 'manual' })
    process.emit('SIGTERM', 'SIGTERM')
    await ended
    expect(address).not.toContain('the-token')
    expect(answer.headers.get('set-cookie')).toContain('=the-token;')
  },
)

test.each([
  [{ host: '127.0.0.1' }, {}, 'http://127.0.0.1:4300/'],
  // Listened on where the resolver says, which is often ::1.
  [{ host: 'localhost' }, { token: undefined }, 'http://localhost:4300/'],
  [{ host: '::1' }, { token: 'abc' }, 'http://[::1]:4300/?token=abc'],
  [{ host: '::1' }, { code: 'abc' }, 'http://[::1]:4300/?code=abc'],
  [{ host: '0.0.0.0', allowedNames: ['lab'], isNetwork: true }, {}, 'http://lab:4300/'],
])('the address of %j with %j is %s', (given, entry, address) => {
  expect(pageAddress(4300, { ...options, ...given }, entry)).toBe(address)
})
