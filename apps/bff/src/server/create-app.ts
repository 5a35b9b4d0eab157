import type { Problem } from '@nirs-workspace/types'
import { Hono } from 'hono'
import { allRoutes } from '../routes/all-routes.ts'
import type { Route } from '../routes/define-route.ts'
import { parameterReader, toHonoPath } from '../routes/find-route.ts'
import type { AppDeps } from './app-deps.ts'
import { securityHeaders } from './headers.ts'
import { makeProblem, newRequestId, problemResponse, toProblem } from './problem.ts'
import { readJsonBody } from './request-body.ts'
import { serveWeb } from './serve-web.ts'

/** Everything behind the guard: the API below `/api` and the built app elsewhere. */
export const createApp = (deps: AppDeps): Hono => {
  const app = new Hono()
  app.use(async (context, next) => {
    await next()
    for (const [name, value] of Object.entries(securityHeaders)) {
      if (!context.res.headers.has(name)) context.res.headers.set(name, value)
    }
  })
  for (const route of allRoutes) addRoute(app, route, deps)
  app.all('/api/*', (context) => refuseUnknown(context.req.raw, deps))
  app.get('*', (context) => serveWeb(context.req.raw, deps.webFolder))
  app.onError((error) => problemResponse(toProblem(error, newRequestId(), deps)))
  return app
}

const addRoute = (app: Hono, route: Route, deps: AppDeps): void => {
  const parameters = parameterReader(route.path)
  app.on(route.method, toHonoPath(route.path), async (context) => {
    const request = context.req.raw
    try {
      const { pathname, searchParams } = new URL(request.url)
      const answer = await route.run({
        params: parameters(pathname),
        query: searchParams,
        deps,
        request,
        readBody: () => readJsonBody(request),
      })
      if (answer instanceof Response) return request.method === 'HEAD' ? withoutBody(withNoStore(answer)) : withNoStore(answer)
      return jsonResponse(deps.telling.json(answer), successStatus(route))
    } catch (error) {
      // Nobody is left to hear of it, and what was broken off is no bug.
      if (request.signal.aborted) return new Response(null, { status: 499 })
      const problem = toProblem(error, newRequestId(), deps)
      return problemResponse(problem, headersFor(problem))
    }
  })
}

const successStatus = (route: Route): number => route.answers[0]?.status ?? 200

const jsonResponse = (json: string, status: number): Response => {
  const bytes = Buffer.from(json)
  const headers = { 'content-type': 'application/json', 'content-length': String(bytes.length), 'cache-control': 'no-store' }
  return new Response(bytes, { status, headers })
}

const withNoStore = (response: Response): Response => {
  if (!response.headers.has('cache-control')) response.headers.set('cache-control', 'no-store')
  return response
}

/** Whoever makes the body hears that nobody will read it. */
const withoutBody = async (response: Response): Promise<Response> => {
  await response.body?.cancel()
  return new Response(null, response)
}

/** What RFC 9110 wants beside some refusals. */
const headersFor = ({ code }: Problem): Record<string, string> => {
  if (code === 'catalog_building') return { 'retry-after': '1' }
  return code === 'upgrade_required' ? { upgrade: 'websocket', connection: 'upgrade' } : {}
}

/** Reached without the guard only (tests, or a path the guard takes for a route and Hono does not). */
const refuseUnknown = (request: Request, deps: AppDeps): Response => {
  const methods = deps.methodsAt(new URL(request.url).pathname)
  const requestId = newRequestId()
  if (methods === undefined || methods.includes(request.method)) {
    return problemResponse(makeProblem('route_not_found', 'The API has no such route; /api/docs lists them all.', requestId))
  }
  const allow = methods.join(', ')
  return problemResponse(makeProblem('method_not_allowed', `This address takes ${allow}.`, requestId), { allow })
}
