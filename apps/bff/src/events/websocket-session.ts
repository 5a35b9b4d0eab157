import { ClientMessage, type ServerEvent } from '@nirs-workspace/types'
import type { RawData, WebSocket } from 'ws'
import type { EventHub } from './event-hub.ts'

const limits = { subscriptions: 32, messagesPerSecond: 100, bufferedBytes: 8 * 1024 * 1024 }
const pingMs = 30_000

/** WebSocket close codes (RFC 6455 §7.4.1). */
const closeCodes = { unsupportedData: 1003, policy: 1008, tryAgainLater: 1013 }

/** One browser tab or program that listens. It can only subscribe and unsubscribe; whoever misbehaves or never reads is closed. */
export const serveSession = (socket: WebSocket, hub: EventHub): void => {
  const subscriptions = new Map<string, () => void>()
  const meter = createMeter(limits.messagesPerSecond)
  const stopPings = keepAlive(socket)

  let allowedBytes = limits.bufferedBytes
  const send = (event: ServerEvent): void => {
    if (socket.bufferedAmount > allowedBytes) socket.close(closeCodes.tryAgainLater, 'too slow')
    else socket.send(hub.encode(event))
  }

  /** What a channel tells at once says nothing of how fast it is read. */
  const subscribe = (channel: string, since: number | undefined): (() => void) => {
    const hasRead = socket.bufferedAmount <= limits.bufferedBytes
    if (hasRead) allowedBytes = Number.POSITIVE_INFINITY
    const stop = hub.subscribe(channel, since, send)
    if (hasRead) allowedBytes = socket.bufferedAmount + limits.bufferedBytes
    return stop
  }

  const handle = (message: ClientMessage): void => {
    subscriptions.get(message.channel)?.()
    subscriptions.delete(message.channel)
    if (message.type === 'unsubscribe') return
    if (subscriptions.size >= limits.subscriptions) socket.close(closeCodes.policy, 'too many subscriptions')
    else if (!hub.isChannel(message.channel)) socket.close(closeCodes.policy, 'unknown channel')
    else subscriptions.set(message.channel, subscribe(message.channel, message.since_seq))
  }

  socket.on('message', (data, isBinary) => {
    if (isBinary) return socket.close(closeCodes.unsupportedData, 'text only')
    if (!meter()) return socket.close(closeCodes.policy, 'too many messages')
    const message = parseMessage(data)
    if (message === undefined) socket.close(closeCodes.policy, 'not a message of this protocol')
    else handle(message)
  })
  // An error is always followed by close; without a listener it would end the process.
  socket.on('error', () => undefined)
  socket.on('close', () => {
    stopPings()
    for (const stop of subscriptions.values()) stop()
  })
}

const parseMessage = (data: RawData): ClientMessage | undefined => {
  const parsed = ClientMessage.safeParse(parseJson(data.toString()))
  return parsed.success ? parsed.data : undefined
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

const createMeter = (perSecond: number): (() => boolean) => {
  let second = 0
  let count = 0
  return () => {
    const now = Math.floor(performance.now() / 1000)
    count = now === second ? count + 1 : 1
    second = now
    return count <= perSecond
  }
}

/** A peer that does not answer a ping before the next one is gone. */
const keepAlive = (socket: WebSocket): (() => void) => {
  let alive = true
  socket.on('pong', () => {
    alive = true
  })
  const timer = setInterval(() => {
    if (!alive) return socket.terminate()
    alive = false
    socket.ping()
  }, pingMs)
  timer.unref()
  return () => clearInterval(timer)
}
