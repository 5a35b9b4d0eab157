import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rawGet, rawRequest } from '../testing/raw-request.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'

let server: TestServer

const webFolder = await mkdtemp(join(tmpdir(), 'nirs-app-'))

beforeAll(async () => {
  await writeFile(join(webFolder, 'index.html'), '<!doctype html><title>the app</title>')
  server = await startTestServer({ webFolder })
})
afterAll(async () => {
  await server.close()
  await rm(webFolder, { recursive: true, force: true })
})

const host = () => `Host: 127.0.0.1:${server.port}`
const bearer = () => `Authorization: Bearer ${server.token}`
const status = async (bytes: string | Buffer) => (await rawRequest(server.port, bytes)).status
const health = (...headers: string[]) => rawGet('/api/health', headers)
const alive = async () => expect(await status(health(host()))).toBe(200)

describe('H: Host, Origin, CSRF, WebSocket', () => {
  test('H1: a foreign host is refused without CORS headers', async () => {
    const answer = await rawRequest(server.port, health('Host: evil.com'))
    expect(answer.status).toBe(403)
    expect(answer.head.toLowerCase()).not.toContain('access-control')
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'host_not_allowed', status: 403 })
  })

  test.each(['localhost', '127.0.0.1', '[::1]', 'LOCALHOST'])('H2: %s with the own port is served', async (name) => {
    expect(await status(health(`Host: ${name}:${server.port}`))).toBe(200)
  })

  test('H3: every other spelling of the host is refused', async () => {
    const port = server.port
    const names = [
      '',
      `127.0.0.1:${port}, evil.com`,
      `localhost.:${port}`,
      `localhost:${port + 1}`,
      'localhost',
      `0.0.0.0:${port}`,
      `2130706433:${port}`,
      `127.1:${port}`,
      `evil.com:${port}`,
      `localhost.evil.com:${port}`,
      `127.0.0.1.nip.io:${port}`,
      `localhost:0${port}`,
      `user@localhost:${port}`,
    ]
    for (const name of names) expect([name, await status(health(`Host: ${name}`))]).toEqual([name, expect.toBeOneOf([400, 403])])
    expect(await status(health(host(), host()))).toBeOneOf([400, 403])
    expect(await status(health(host(), 'Host: evil.com'))).toBeOneOf([400, 403])
    expect(await status('GET /api/health HTTP/1.0\r\n\r\n')).toBeOneOf([400, 403])
    expect(await status('GET /api/health HTTP/1.1\r\nConnection: close\r\n\r\n')).toBeOneOf([400, 403])
    await alive()
  })

  test('H4: malformed Host and Origin, on HTTP and on upgrade, harm nothing', async () => {
    const upgrade = [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ]
    for (const bad of ['[', 'http://', '\xff', 'x'.repeat(15_000), 'null', 'https://[::1', '%00', '::', '[]:80']) {
      for (const head of [
        [`Host: ${bad}`, bearer()],
        [host(), bearer(), `Origin: ${bad}`],
      ]) {
        expect(await status(Buffer.from(rawGet('/api/jobs', head), 'latin1'))).toBeOneOf([400, 403, 431])
        const lines = [...head, ...upgrade].join('\r\n')
        expect(await status(Buffer.from(`GET /api/ws HTTP/1.1\r\n${lines}\r\n\r\n`, 'latin1'))).toBeOneOf([400, 403, 431])
      }
    }
    await alive()
  })

  test('H5: the absolute form of a target is refused', async () => {
    expect(await status(rawGet('http://evil.com/api/health', [host()]))).toBeOneOf([400, 403])
    expect(await status(rawGet(`http://127.0.0.1:${server.port}/api/health`, [host()]))).toBeOneOf([400, 403])
  })

  test('H6, H7: a foreign origin changes nothing, whatever it knows', async () => {
    const port = server.port
    const origins = [
      'https://evil.com',
      'null',
      `http://localhost:${port + 1}`,
      `http://localhost:${port}.evil.com`,
      `https://localhost:${port}`,
      'http://localhost',
      '',
      `http://127.0.0.1:${port}/`,
      `HTTP://127.0.0.1:${port}`,
    ]
    for (const [method, path] of server.mutatingRoutes) {
      for (const origin of origins) {
        const answer = await rawRequest(
          server.port,
          rawGet(
            `/api${path}`,
            [host(), bearer(), `Origin: ${origin}`, 'Content-Type: application/json', 'Content-Length: 2'],
            method,
          ).concat('{}'),
        )
        expect([method, path, origin, answer.status]).toEqual([method, path, origin, 403])
      }
    }
    expect(server.started).toEqual([])
  })

  test('H8: DNS rebinding is refused', async () => {
    const evil = `evil.com:${server.port}`
    expect(await status(rawGet('/api/jobs', [`Host: ${evil}`, `Origin: http://${evil}`, bearer()]))).toBe(403)
  })

  test('H9: Sec-Fetch-Site decides where there is no Origin', async () => {
    const jobs = (...headers: string[]) => status(rawGet('/api/jobs', [host(), bearer(), ...headers]))
    expect(await jobs('Sec-Fetch-Site: cross-site')).toBe(403)
    expect(await jobs('Sec-Fetch-Site: same-site')).toBe(403)
    expect(await jobs('Sec-Fetch-Site: none', 'Sec-Fetch-Site: cross-site')).toBe(403)
    expect(await jobs('Sec-Fetch-Site: same-origin')).toBe(200)
    expect(await jobs('Sec-Fetch-Site: none')).toBe(200)
    expect(await jobs()).toBe(200)
    expect(await jobs(`Origin: http://127.0.0.1:${server.port}`)).toBe(200)
  })

  test.each([
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['multipart/form-data; boundary=x', 415],
    ['', 415],
    ['application/json; charset=utf-16', 415],
    ['application/jsonx', 415],
    ['APPLICATION/JSON', 404],
    ['application/json; charset=UTF-8', 404],
  ])('H10: a body of type %j answers %i', async (type, expected) => {
    const head = [host(), bearer(), `Content-Type: ${type}`, 'Content-Length: 2']
    expect(await status(`${rawGet('/api/jobs/none/cancel', head, 'POST')}{}`)).toBe(expected)
  })

  test('H11: other methods do nothing on a mutating route', async () => {
    for (const [method, path] of server.mutatingRoutes) {
      for (const wrong of ['PUT', 'PATCH', 'OPTIONS', ...(method === 'POST' && server.methodsAt(path)?.includes('GET') ? [] : ['HEAD'])]) {
        expect([wrong, path, await status(rawGet(`/api${path}`, [host(), bearer()], wrong))]).toEqual([wrong, path, 405])
      }
    }
    const overridden = rawGet('/api/jobs?_method=DELETE', [host(), bearer(), 'X-HTTP-Method-Override: DELETE'])
    expect(await status(overridden)).toBe(422)
    expect(server.started).toEqual([])
  })

  test('H12, H13: no answer allows another origin', async () => {
    const preflight = ['Origin: https://evil.com', 'Access-Control-Request-Method: POST', 'Access-Control-Request-Headers: content-type']
    for (const path of ['/api/health', '/api/jobs', '/api/openapi.json', '/', '/api/nothing']) {
      for (const method of ['GET', 'OPTIONS', 'HEAD', 'POST']) {
        for (const extra of [[], preflight]) {
          const answer = await rawRequest(server.port, rawGet(path, [host(), bearer(), ...extra], method))
          expect(answer.head.toLowerCase()).not.toContain('access-control-allow')
          expect(answer.head.toLowerCase()).not.toContain('evil.com')
        }
      }
    }
  })

  test('H14: an upgrade passes the same guard, and a refused socket is closed at once', async () => {
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
    const head = (version = '13') => ['Connection: Upgrade', 'Upgrade: websocket', `Sec-WebSocket-Version: ${version}`, key]
    const upgrade = async (target: string, headers: string[], method = 'GET') => {
      const begun = Date.now()
      const answer = await rawRequest(server.port, `${method} ${target} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`, 3000)
      return { status: answer.status, closed: Date.now() - begun < 2900 }
    }
    const own = `Origin: http://127.0.0.1:${server.port}`
    expect(await upgrade('/api/ws', [host(), bearer(), 'Origin: https://evil.com', ...head()])).toEqual({ status: 403, closed: true })
    expect(await upgrade('/api/ws', [host(), ...head()])).toEqual({ status: 401, closed: true })
    expect(await upgrade('/api/ws', ['Host: evil.com', bearer(), ...head()])).toEqual({ status: 403, closed: true })
    expect(await upgrade('/api/other', [host(), bearer(), own, ...head()])).toEqual({ status: 404, closed: true })
    expect(await upgrade('/', [host(), bearer(), own, ...head()])).toEqual({ status: 404, closed: true })
    expect(await upgrade('/api/ws', [host(), bearer(), own, ...head('8')])).toEqual({ status: 426, closed: true })
    expect(await upgrade('/api/ws', [host(), bearer(), own, ...head()], 'POST')).toEqual({ status: 405, closed: true })
    expect((await upgrade('/api/ws', [host(), bearer(), own, ...head()])).status).toBe(101)
    await alive()
  })

  test('an address for WebSocket alone says so to a plain request', async () => {
    const { status, head } = await rawRequest(server.port, rawGet('/api/ws', [host(), bearer()]))
    expect([status, head]).toEqual([426, expect.stringMatching(/^upgrade: websocket\r?$/im)])
  })

  test('H17: pages and answers carry the security headers', async () => {
    for (const path of ['/', '/api/docs', '/api/health', '/api/nothing', '/predictions']) {
      const { head } = await rawRequest(server.port, rawGet(path, [host(), bearer()]))
      for (const part of ["default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"])
        expect(head).toContain(part)
      expect(head).not.toMatch(/script-src[^;]*unsafe/)
      expect(head).toMatch(/x-content-type-options: nosniff/i)
      expect(head).toMatch(/cross-origin-opener-policy: same-origin/i)
      expect(head).toMatch(/cross-origin-resource-policy: same-origin/i)
      expect(head).toMatch(/referrer-policy: no-referrer/i)
      if (path.startsWith('/api')) expect(head).toMatch(/cache-control: no-store/i)
    }
  })

  test('a browser with an old start address gets the page that says what to do, a program a problem', async () => {
    const html = 'Accept: text/html,application/xhtml+xml,*/*;q=0.8'
    const page = await rawRequest(server.port, rawGet('/?token=of-yesterday', [host(), html]))
    expect([page.status, page.body]).toEqual([401, expect.stringContaining('the app')])
    expect(page.head).toMatch(/content-type: text\/html/i)
    expect(page.head).toMatch(/cache-control: no-store/i)
    expect(page.head).not.toMatch(/set-cookie|location/i)
    const known = await rawRequest(
      server.port,
      rawGet('/?token=of-yesterday&view=x', [host(), html, `Cookie: nirs_workspace_${server.port}=${server.token}`]),
    )
    expect([known.status, known.head]).toEqual([303, expect.stringMatching(/location: \/\?view=x\r?$/im)])
    const program = await rawRequest(server.port, rawGet('/?token=of-yesterday', [host()]))
    expect([program.status, JSON.parse(program.body)]).toEqual([401, expect.objectContaining({ code: 'token_required' })])
    expect(program.head).toMatch(/www-authenticate: Bearer/i)
  })

  test('H18: only the whole token opens the API', async () => {
    const withToken = (value: string) => status(rawGet('/api/jobs', [host(), value]))
    const { token, port } = server
    expect(await withToken(`Authorization: Bearer ${token}`)).toBe(200)
    expect(await withToken(`Cookie: a=b; nirs_workspace_${port}=${token}`)).toBe(200)
    for (const wrong of ['', 'x', token.slice(0, -1), `${token}x`, token.toUpperCase(), 'x'.repeat(12_000)]) {
      expect(await withToken(`Authorization: Bearer ${wrong}`)).toBe(401)
      expect(await withToken(`Cookie: nirs_workspace_${port}=${wrong}`)).toBe(401)
    }
    expect(await withToken(`Authorization: Bearer ${'x'.repeat(1_000_000)}`)).toBeOneOf([0, 431])
    expect(await status(rawGet(`/api/jobs?token=${token}`, [host()]))).toBe(401)
    expect(await status(rawGet('/api/jobs', [host()]))).toBe(401)
    const guesses = await Promise.all(Array.from({ length: 60 }, (_, index) => withToken(`Authorization: Bearer guess-${index}`)))
    expect(guesses).toContain(429)
    expect(await withToken(`Authorization: Bearer ${token}`)).toBe(200)
  })

  test('the start address gives the token for a cookie and drops it from the address', async () => {
    const answer = await rawRequest(server.port, rawGet(`/?token=${server.token}&view=x`, [host()]))
    expect(answer.status).toBe(303)
    expect(answer.head).toMatch(/location: \/\?view=x\r?$/im)
    expect(answer.head).toMatch(new RegExp(`set-cookie: nirs_workspace_${server.port}=[^;]+; Path=/; HttpOnly; SameSite=Strict`, 'i'))
    expect(await status(rawGet('/?token=wrong', [host()]))).toBeOneOf([401, 429])
  })

  test('H18: the address that is opened for the user lets one browser in, once, and holds no token', async () => {
    const code = server.makeEntryCode() ?? ''
    expect(code).not.toContain(server.token)
    expect(await status(rawGet(`/?code=${code}`, [host()]).replace('GET', 'HEAD'))).toBeOneOf([401, 429])
    const enter = () => rawRequest(server.port, rawGet(`/?code=${code}&view=x`, [host()]))
    const answer = await enter()
    expect(answer.status).toBe(303)
    expect(answer.head).toMatch(/location: \/\?view=x\r?$/im)
    expect(answer.head).toContain(`set-cookie: nirs_workspace_${server.port}=${server.token}`)
    const again = await enter()
    expect(again.status).toBeOneOf([401, 429])
    expect(again.head).not.toMatch(/set-cookie/i)
    expect(await status(rawGet(`/api/jobs?code=${server.makeEntryCode()}`, [host()]))).toBe(401)
  })

  test('H18: the API is not reached by another spelling of its address', async () => {
    const spellings = [
      '/x/../api/jobs',
      '/x/%2e%2e/api/jobs',
      '/./api/jobs',
      '/%61pi/jobs',
      '/ap%69/jobs',
      '/%61pi/%ff',
      '/x%5c..%5capi/jobs',
    ]
    for (const path of spellings) {
      expect([path, await status(rawGet(path, [host()]))]).toEqual([path, 404])
      expect([path, await status(rawGet(path, [host(), bearer()]))]).toEqual([path, 404])
    }
    // An address of the app may hold any letter.
    expect(await status(rawGet('/predictions/bl%C3%A9%20tendre', [host()]))).toBe(200)
  })

  test('H19: no address redirects off the site', async () => {
    for (const path of ['//evil.com/', '/\\evil.com', '/%2f%2fevil.com', '/%5cevil.com', '///evil.com', '//evil.com?token=x']) {
      const answer = await rawRequest(server.port, rawGet(path, [host()]))
      expect([path, answer.status]).toEqual([path, 404])
      expect(answer.head.toLowerCase()).not.toContain('location:')
    }
  })

  test('H20: a script or image of another site gets nothing', async () => {
    for (const dest of ['script', 'image', 'document', 'iframe']) {
      const head = [host(), bearer(), 'Sec-Fetch-Site: cross-site', `Sec-Fetch-Dest: ${dest}`, 'Sec-Fetch-Mode: no-cors']
      expect(await status(rawGet('/api/jobs', head))).toBe(403)
      expect(await status(rawGet('/', head))).toBe(403)
    }
    const link = ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Dest: document', 'Sec-Fetch-Mode: navigate']
    expect(await status(rawGet('/', [host(), ...link]))).not.toBe(403)
  })

  test('H21: what is not HTTP, or too much of it, is refused and survived', async () => {
    const post = (headers: string[], body: string) =>
      `POST /api/jobs/x/cancel HTTP/1.1\r\n${[host(), bearer(), ...headers].join('\r\n')}\r\n\r\n${body}`
    const json = 'Content-Type: application/json'
    expect(await status(post([json, 'Content-Length: 2', 'Transfer-Encoding: chunked'], '0\r\n\r\n'))).toBe(400)
    expect(await status(post([json, 'Transfer-Encoding: chunked'], 'zz\r\nbad'))).toBeOneOf([400, 404])
    expect(await status(rawGet(`/api/${'x'.repeat(70_000)}`, [host()]))).toBeOneOf([414, 431])
    expect(await status(health(host(), `X-Long: ${'x'.repeat(20_000)}`))).toBe(431)
    expect(await status(health(host(), ...Array.from({ length: 2000 }, (_, index) => `X-${index}: ${'v'.repeat(8)}`)))).toBeOneOf([
      400, 431,
    ])
    expect(await status(rawGet('/api/health', [host()], 'TRACE'))).toBe(405)
    expect(await status(`CONNECT evil.com:443 HTTP/1.1\r\n${host()}\r\n\r\n`)).toBeOneOf([0, 400, 403, 405])
    expect(await status(rawGet('/api/health', [host()], 'FOO'))).toBeOneOf([400, 405])
    await alive()
  })

  test('an unknown route is 404, a known one with the wrong method 405, both as problems', async () => {
    const missing = await rawRequest(server.port, rawGet('/api/nothing', [host(), bearer()]))
    expect(missing.status).toBe(404)
    expect(missing.head).toContain('application/problem+json')
    const wrong = await rawRequest(server.port, rawGet('/api/jobs', [host(), bearer()], 'DELETE'))
    expect(wrong.status).toBe(405)
    expect(wrong.head).toMatch(/allow: GET, HEAD/i)
  })
})
