import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allRoutes } from '../src/routes/all-routes.ts'
import { rawRequest } from '../src/testing/raw-request.ts'
import { checkAnswer } from '../src/testing/test-app.ts'
import { startTestServer, type TestServer } from '../src/testing/test-server.ts'
import { copyDemo, removeCopies } from '../src/testing/workspace-copies.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  const workspace = await server.services.workspaces.open(await copyDemo())
  await workspace.settle(60_000)
})
afterAll(async () => {
  await server.close()
  await removeCopies()
})

const send = async (method: string, path: string, body?: string | Uint8Array, headers: Record<string, string> = {}) => {
  const response = await fetch(`http://127.0.0.1:${server.port}/api${path}`, {
    method,
    headers: { authorization: `Bearer ${server.token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body }),
  })
  await checkAnswer(method, path, response.clone())
  return response
}
const cancel = (body: string | Uint8Array, headers?: Record<string, string>) => send('POST', '/jobs/none/cancel', body, headers)

describe('J1: what is not JSON is 400, what is passes the parser', () => {
  const bad = [
    '{',
    '[',
    '{"a":}',
    '{"a" 1}',
    '{a:1}',
    "{'a':1}",
    '{"a":1,}',
    '[1,]',
    '[,1]',
    '[1 2]',
    'nul',
    'True',
    'NaN',
    'Infinity',
    '-',
    '+1',
    '01',
    '1.',
    '.5',
    '0x1',
    '1e',
    '"',
    '"\n"',
    '"\t"',
    '"\\x"',
    '"\\u12"',
    '"a',
    '{"a":"b"}}',
    '{} {}',
    '// x\n{}',
    '{/**/}',
    '\u0000',
    '[\u0000]',
    '['.repeat(100_000),
    `${'{"a":'.repeat(50_000)}`,
    '{"a":1',
    ']',
    '}',
    ',',
    ':',
    '"\\',
    'undefined',
    '#',
    "''",
    '{"\\ud800":1',
    '[1e]',
    '[--1]',
    '[1+2]',
    '<html>',
    'a=b',
  ]
  test.each(bad.map((text) => [text.length > 40 ? `${text.slice(0, 10)}… (${text.length})` : JSON.stringify(text), text]))(
    '%s',
    async (_name, text) => {
      expect((await cancel(text)).status).toBe(400)
    },
  )

  test.each([
    [new Uint8Array([0x22, 0xff, 0x22])],
    [new Uint8Array([0x7b, 0xc3, 0x28, 0x7d])],
    [new Uint8Array([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00])],
  ])('bytes that are not UTF-8 %#', async (bytes) => {
    expect((await cancel(bytes)).status).toBe(400)
  })

  test('deep nesting, duplicate keys, lone surrogates and large numbers pass the parser', async () => {
    const nested = `{"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`
    for (const text of [
      nested,
      '{"dry_run":false,"dry_run":true}',
      '{"x":"\\ud800"}',
      '{"x":1e400}',
      '{"__proto__":{"polluted":true}}',
      ' {}\r\n',
    ]) {
      expect((await cancel(text)).status).toBe(404)
    }
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
  })

  test.each(['null', '[]', '"x"', '1', 'true', '[{}]'])('a body of %s where an object belongs is 422', async (text) => {
    expect((await cancel(text)).status).toBe(422)
  })
})

describe('J2: sizes and encodings', () => {
  test('one byte over the limit is 413, with and without a length', async () => {
    const body = (size: number) => `{"x":"${'a'.repeat(size - 8)}"}`
    expect((await cancel(body(1024 * 1024))).status).toBe(404)
    expect((await cancel(body(1024 * 1024 + 1))).status).toBe(413)
    const big = body(1024 * 1024 + 1)
    const chunked = [
      'POST /api/jobs/none/cancel HTTP/1.1',
      `Host: 127.0.0.1:${server.port}`,
      `Authorization: Bearer ${server.token}`,
      'Content-Type: application/json',
      'Transfer-Encoding: chunked',
      'Connection: close',
      '',
      `${big.length.toString(16)}\r\n${big}\r\n0\r\n\r\n`,
    ].join('\r\n')
    expect((await rawRequest(server.port, chunked, 5000)).status).toBe(413)
  })

  test('a compressed body is 415, a length that lies is 400 or a closed connection', async () => {
    expect((await cancel('{}', { 'content-encoding': 'gzip' })).status).toBe(415)
    const lie = (length: string) =>
      rawRequest(
        server.port,
        `POST /api/jobs/none/cancel HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${server.token}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n{}`,
      )
    expect((await lie('-1')).status).toBe(400)
    expect((await lie('x')).status).toBe(400)
    expect((await lie('1')).status).toBe(400)
  })
})

const strange = [null, [], {}, '1', Number.MAX_VALUE, -0, Number.NaN, 2 ** 53 + 2, -1, 0, 1.0000001, 'x'.repeat(5000), true]

describe('J3, J4: wrong types are 422 with a pointer, unknown fields are ignored in a body and refused in a query', () => {
  test('every field of every body', async () => {
    const fields: [path: string, field: string, good: readonly unknown[]][] = [
      ['/workspace/migrate', 'dry_run', [true]],
      ['/workspace/migrate', 'batch_size', []],
      ['/workspace/migrate', 'plan_id', ['1', strange[11]]],
      ['/workspaces', 'path', ['1', strange[11]]],
      ['/predictions/arrays', 'ids', []],
      ['/aggregated-predictions/export', 'format', []],
      ['/aggregated-predictions/export', 'dataset_names', [null]],
      ['/aggregated-predictions/export', 'filters', [{}]],
      ['/workspace/migrate/rollback', 'force', [true]],
      ['/workspace/migrate/verify', 'depth', []],
    ]
    for (const [path, field, good] of fields) {
      for (const value of strange) {
        const text = JSON.stringify({ [field]: value })
        if (good.some((ok) => JSON.stringify(ok) === JSON.stringify(value))) continue
        const response = await send('POST', path, text)
        if (response.status === 202 || response.status === 200) expect.fail(`${path} took ${text.slice(0, 80)}`)
        expect([path, text.slice(0, 80), response.status]).toEqual([path, text.slice(0, 80), 422])
        const problem = (await response.json()) as { code: string; errors?: { pointer: string }[] }
        expect(problem.code).toBe('validation')
        expect(problem.errors?.[0]?.pointer).toMatch(new RegExp(`^/${field}`))
      }
    }
    expect(server.started).toEqual([])
  })

  test.each([
    [{ equals: { has_arrays: ['true', 'maybe'] } }, '/filters/equals/has_arrays/1'],
    [{ equals: { nothing: ['x'] } }, '/filters/equals/nothing'],
    [{ ranges: { created_at: { min: 'xyz' } } }, '/filters/ranges/created_at/min'],
    [{ ranges: { val_score: { max: 'xyz' } } }, '/filters/ranges/val_score/max'],
  ])('filters of an export that say nothing sensible: %j', async (filters, pointer) => {
    const response = await send('POST', '/aggregated-predictions/export', JSON.stringify({ filters }))
    const { errors } = (await response.json()) as { errors?: { pointer: string }[] }
    expect([response.status, errors?.[0]?.pointer]).toEqual([422, pointer])
  })

  test.each([
    ['nothing at all', undefined, {}, 400],
    ['an empty body', '', {}, 400],
    ['blanks', '  ', {}, 400],
    ['null', 'null', {}, 422],
    ['a form', 'dry_run=true', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['text', '{}', { 'content-type': 'text/plain' }, 415],
    ['a misspelt word', '{"dryrun":true}', {}, 422],
    ['too large row groups', '{"batch_size":100001}', {}, 422],
  ])('a request to migrate with %s starts nothing', async (_name, body, headers, status) => {
    const response = await send('POST', '/workspace/migrate', body, headers)
    expect([response.status, server.started]).toEqual([status, []])
  })

  test('ids that no store can hold are ids that nobody has', async () => {
    const ids = ['\ud800', 'a\udc00b', '\u0000', '', "'", '\u2028']
    const response = await send('POST', '/predictions/arrays', JSON.stringify({ ids }))
    expect([response.status, await response.json()]).toEqual([200, { rows: [], missing: ids }])
  })

  test('an unknown field of a body is ignored', async () => {
    expect((await send('POST', '/predictions/arrays', '{"ids":["none"],"more":1}')).status).toBe(200)
  })
})

describe('J6: query parameters', () => {
  test.each([
    'limit=1e9',
    'limit=0',
    'limit=1001',
    'limit=-1',
    'limit=',
    'limit=abc',
    'limit=1.5',
    'limit=0x10',
    'limit=NaN',
    'limit=1&limit=2',
    'offset=-1',
    'offset=1e30',
    'sort=;drop',
    'sort=val_score:up',
    'sort=nothing:asc',
    'sort=val_score:asc:desc',
    'sort=__proto__',
    'val_score_min=x',
    'val_score_max=',
    'val_score_min=Infinity',
    'n_samples_min=1&n_samples_min=2',
    'unknown=1',
    '__proto__=1',
    'constructor=1',
    `q=${'x'.repeat(501)}`,
    'created_at_min=yesterday',
    'created_at_min=xyz',
    'created_at_max=2026-02-30',
    'created_at_min=2026-03-01T25:00',
    'has_arrays=maybe',
    'aggregated=maybe',
    'aggregated=true&aggregated=',
    Array.from({ length: 6 }, () => 'sort=val_score:asc').join('&'),
  ])('/predictions?%s is 422', async (query) => {
    const response = await send('GET', `/predictions?${query}`)
    const { errors } = (await response.json()) as { errors?: { pointer: string }[] }
    expect([response.status, errors?.[0]?.pointer]).toEqual([422, expect.stringMatching(`^/${/^\w+/.exec(query)?.[0]}`)])
  })

  test.each(['limit=1000000000000000', 'offset=9007199254740993', `offset=${'9'.repeat(400)}`])(
    '/predictions?%s is out of bounds, not a wrong type',
    async (query) => {
      const { errors } = (await (await send('GET', `/predictions?${query}`)).json()) as { errors?: { detail: string }[] }
      expect(errors?.map(({ detail }) => detail).join()).toMatch(/^(Too big: expected \w+ to be <=\d+,?)+$/)
    },
  )

  test.each([
    'q=%27%3B%20DROP%20TABLE%20runs',
    'q=%25',
    'q=\\',
    'dataset_name=%27',
    'dataset_name=__proto__',
    'dataset_name=a&dataset_name=b',
    'dataset_name=',
    'aggregated=false&has_arrays=true&has_arrays=false',
    'q=%00',
    'sort=val_score:asc&sort=dataset_name:desc',
    'val_score_min=-1e-3',
    'created_at_min=2020-01-01',
    'created_at_max=2020-02-29T23:59:59.123456Z',
    'created_at_max=2020-02-29%2010:30',
    'offset=999999999999999',
    'offset=9007199254740991',
    'q=%F0%9F%8D%8E',
  ])('/predictions?%s is an answer', async (query) => {
    expect((await send('GET', `/predictions?${query}`)).status).toBe(200)
  })
})

test('every route that reads answers within its contract when asked plainly', async () => {
  for (const route of allRoutes.filter(({ method, path }) => method === 'GET' && !path.includes('{') && path !== '/ws')) {
    const query = route.path === '/predictions/histogram' ? '?column=val_score' : ''
    expect([route.path, (await send('GET', `${route.path}${query}`)).status]).toEqual([route.path, 200])
    expect((await send('GET', `${route.path}?surprise=1${query.replace('?', '&')}`)).status).toBe(422)
  }
  expect((await send('GET', '/ws')).status).toBe(426)
})

test('OpenAPI describes every route, and the page shows them without scripts', async () => {
  const document = (await (await send('GET', '/openapi.json')).json()) as {
    openapi: string
    paths: Record<string, Record<string, { responses: object }>>
  }
  expect(document.openapi).toBe('3.1.0')
  for (const { method, path } of allRoutes)
    expect([path, Object.keys(document.paths[path]?.[method.toLowerCase()]?.responses ?? {}).length > 1]).toEqual([path, true])
  expect(Object.values(document.paths).flatMap(Object.keys)).toHaveLength(allRoutes.length)
  expect(document.paths['/aggregated-predictions/export']?.post?.responses).toMatchObject({
    200: { headers: { 'x-export-warnings': { schema: { type: 'string' } } } },
  })
  const problems = (method: string, path: string) => JSON.stringify(document.paths[path]?.[method]?.responses)
  expect(['/health', '/jobs'].map((path) => /token_required.*too_many_requests/.test(problems('get', path)))).toEqual([false, true])
  // What a job meets comes at its end, as an event; who holds the store is seen before it begins.
  for (const verb of ['rollback', 'verify']) {
    expect(problems('post', `/workspace/migrate/${verb}`)).not.toMatch(/backup_not_found|changed_since/)
    expect(problems('post', `/workspace/migrate/${verb}`)).toContain('store_locked')
  }
  const page = await (await send('GET', '/docs')).text()
  expect(page).not.toContain('<script')
  expect(page).not.toMatch(/https?:\/\//)
  for (const { path } of allRoutes) expect(page).toContain(`/api${path}`)
})
