import { makeToken } from '../guard/token.ts'
import { allRoutes } from '../routes/all-routes.ts'
import { createApp } from '../server/create-app.ts'
import type { DepsOptions } from '../server/create-deps.ts'
import { startServer } from '../server/start-server.ts'
import { makeTestServices, type TestServices } from './test-services.ts'

export interface TestServer extends TestServices {
  port: number
  token: string
  makeEntryCode: () => string | undefined
  /** Kinds of the jobs that were started. */
  started: string[]
  /** Method and a concrete path of every route that changes something. */
  mutatingRoutes: [method: string, path: string][]
  methodsAt: (path: string) => readonly string[] | undefined
}

/** A listening server on a free port. Its jobs are counted instead of done unless `startJob` is given. */
export const startTestServer = async (options: Partial<DepsOptions> = {}): Promise<TestServer> => {
  const started: string[] = []
  const test = await makeTestServices({
    startJob: (request) => {
      started.push(request.kind)
      return { pid: null, cancel: () => undefined, ended: Promise.resolve({ state: 'completed', report: null, error: null }) }
    },
    ...options,
  })
  const { services } = test
  const token = makeToken()
  const server = await startServer({
    app: createApp(services),
    hub: services.hub,
    log: services.log,
    host: '127.0.0.1',
    port: 0,
    token,
    allowedNames: [],
    methodsAt: services.methodsAt,
  })
  return {
    ...test,
    port: server.port,
    token,
    makeEntryCode: server.makeEntryCode,
    started,
    mutatingRoutes: allRoutes
      .filter(({ method }) => method !== 'GET')
      .map(({ method, path }) => [method, path.replace(/\{[a-z_]+\}/g, 'x')]),
    methodsAt: (path) => services.methodsAt(`/api${path}`),
    close: async () => {
      await server.close()
      await test.close()
    },
  }
}
