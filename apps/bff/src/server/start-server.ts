import { createServer, type Server } from 'node:http'
import { systemCode } from '@nirs-workspace/storage'
import type { Hono } from 'hono'
import type { EventHub } from '../events/event-hub.ts'
import { allowedHosts } from '../guard/allowed-hosts.ts'
import type { GuardOptions } from '../guard/check-request.ts'
import { EntryCodes } from '../guard/entry-codes.ts'
import { GuessLimit } from '../guard/guess-limit.ts'
import type { Log } from '../log.ts'
import { createRequestListener } from './request-listener.ts'
import { createUpgradeHandler } from './upgrade.ts'

export interface ListenOptions {
  app: Hono
  hub: EventHub
  log: Log
  host: string
  /** The first port to try; 0 takes any. */
  port: number
  /** Undefined: no token is asked for. */
  token: string | undefined
  allowedNames: readonly string[]
  methodsAt: GuardOptions['methodsAt']
}

export interface RunningServer {
  readonly port: number
  /** For the address of a page that is opened for the user; works once. Undefined when no token is asked for. */
  makeEntryCode(): string | undefined
  close(): Promise<void>
}

/** Slow and idle connections are closed, so that they cannot use up the server. */
const limits = { headersTimeout: 15_000, requestTimeout: 30_000, keepAliveTimeout: 20_000, connectionsCheckingInterval: 5_000 }
const maxConnections = 512
const portsTried = 100

/** Listens on the first free port from `port` on. Throws the error of the system when there is none or the address cannot be had. */
export const startServer = async (options: ListenOptions): Promise<RunningServer> => {
  const server = createServer({ ...limits, shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket' })
  server.maxConnections = maxConnections
  const port = await listenOnFreePort(server, options.host, options.port)
  const guard: GuardOptions = {
    allowed: allowedHosts(port, options.allowedNames),
    port,
    token: options.token,
    guesses: new GuessLimit(),
    entryCodes: new EntryCodes(),
    methodsAt: options.methodsAt,
  }
  const upgrades = createUpgradeHandler(guard, options.hub)
  server.on('request', createRequestListener(options.app, guard, options.log))
  server.on('upgrade', upgrades.handle)
  return {
    port,
    makeEntryCode: () => (guard.token === undefined ? undefined : guard.entryCodes.make()),
    close: () => {
      upgrades.close()
      return closeServer(server)
    },
  }
}

const listenOnFreePort = async (server: Server, host: string, first: number): Promise<number> => {
  const last = Math.min(first + portsTried - 1, 65_535)
  for (let port = first; ; port += 1) {
    try {
      await listen(server, host, port)
      return portOf(server)
    } catch (error) {
      if (systemCode(error) !== 'EADDRINUSE' || port === last) throw error
    }
  }
}

const listen = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const failed = (error: Error) => {
      server.off('listening', listening)
      reject(error)
    }
    const listening = () => {
      server.off('error', failed)
      resolve()
    }
    server.once('error', failed)
    server.once('listening', listening)
    server.listen({ host, port, exclusive: true })
  })

const portOf = (server: Server): number => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server listens on no port.')
  return address.port
}

/** Running answers may end within a second; then their connections are cut. */
const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
    setTimeout(() => server.closeAllConnections(), 1000).unref()
  })
