import { once } from 'node:events'
import { ServerEvent } from '@nirs-workspace/types'
import { WebSocket } from 'ws'

export interface Listener {
  events: ServerEvent[]
  socket: WebSocket
  /** Resolves when an event like this has come. */
  until(wanted: (event: ServerEvent) => boolean): Promise<ServerEvent>
  close(): Promise<void>
}

/** Subscribes to a channel of a listening server as a program would. */
export const listen = async (server: { port: number; token: string }, channel: string, since?: number): Promise<Listener> => {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/api/ws`, { headers: { authorization: `Bearer ${server.token}` } })
  const events: ServerEvent[] = []
  const waiting = new Set<() => void>()
  socket.on('message', (data) => {
    events.push(ServerEvent.parse(JSON.parse(data.toString())))
    for (const wake of waiting) wake()
  })
  await once(socket, 'open')
  socket.send(JSON.stringify({ type: 'subscribe', channel, ...(since === undefined ? {} : { since_seq: since }) }))
  const until = (wanted: (event: ServerEvent) => boolean): Promise<ServerEvent> =>
    new Promise((resolve, reject) => {
      const look = () => {
        const found = events.find(wanted)
        if (found === undefined) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      socket.once('close', () => reject(new Error('The socket was closed.')))
      look()
    })
  await until((event) => event.type === 'snapshot')
  return {
    events,
    socket,
    until,
    close: async () => {
      if (socket.readyState === WebSocket.CLOSED) return
      const closed = once(socket, 'close')
      socket.close()
      await closed
    },
  }
}
