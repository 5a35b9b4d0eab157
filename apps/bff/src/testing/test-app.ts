import { Problem } from '@nirs-workspace/types'
import type { Hono } from 'hono'
import { expect } from 'vitest'
import { codesOf } from '../openapi/make-openapi.ts'
import { allRoutes } from '../routes/all-routes.ts'
import type { Route } from '../routes/define-route.ts'
import { createApp } from '../server/create-app.ts'
import type { DepsOptions } from '../server/create-deps.ts'
import { makeTestServices, type TestServices } from './test-services.ts'

export interface TestApp extends TestServices {
  app: Hono
  /** Sends a request and checks the answer against what the route promises. */
  request(path: string, init?: RequestInit): Promise<Response>
  get(path: string): Promise<unknown>
  post(path: string, body: unknown): Promise<Response>
  /** Id of the workspace that was opened. */
  workspace: string
}

/** The app without a network, with one workspace open. */
export const openTestApp = async (path: string | undefined, options: Partial<DepsOptions> = {}): Promise<TestApp> => {
  const test = await makeTestServices(options)
  const app = createApp(test.services)
  const request = async (target: string, init: RequestInit = {}): Promise<Response> => {
    const response = await app.request(`/api${target}`, init)
    await checkAnswer(init.method ?? 'GET', target, response.clone())
    // On a busy machine the first catalog takes longer than a request waits for it: as the app does, it is asked again.
    const isBuilding = response.status === 503 && response.headers.get('retry-after') !== null
    return isBuilding ? request(target, init) : response
  }
  const opened = path === undefined ? undefined : await test.services.workspaces.open(path)
  return {
    ...test,
    app,
    request,
    get: async (target) => (await request(target)).json(),
    post: (target, body) =>
      request(target, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    workspace: opened?.id ?? '',
  }
}

/** The contract: a listed status, a body as its schema says, every error a problem with a listed code. */
export const checkAnswer = async (method: string, target: string, response: Response): Promise<void> => {
  const isBug = response.status >= 500 && response.status !== 503 && response.status !== 507
  if (isBug) expect.fail(`${method} ${target} answered ${response.status}: ${await response.text()}`)
  const route = routeOf(method, target.split('?', 1)[0] ?? '')
  if (response.status >= 400 && response.status !== 416) {
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    const { code } = Problem.parse(await response.json())
    if (route !== undefined) expect([...codesOf(route)], `${method} ${target}`).toContain(code)
    return
  }
  if (route === undefined) return
  const answers = route.answers.filter(({ status }) => status === response.status)
  expect(answers).not.toEqual([])
  const schema = answers[0]?.schema
  if (schema === undefined || method === 'HEAD' || response.headers.get('content-type') !== 'application/json') return
  schema.parse(await response.json())
}

const routeOf = (method: string, pathname: string): Route | undefined =>
  allRoutes.find(
    (route) =>
      (route.method === method || (route.method === 'GET' && method === 'HEAD')) &&
      new RegExp(`^${route.path.replace(/\./g, '\\.').replace(/\{[a-z_]+\}/g, '[^/]+')}$`).test(pathname),
  )
