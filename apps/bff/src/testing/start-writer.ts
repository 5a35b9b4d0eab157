import { fork } from 'node:child_process'
import { once } from 'node:events'

const entry = new URL('./hold-store.ts', import.meta.url)

export interface Writer {
  pid: number | undefined
  run(sql: string): Promise<void>
  release(): Promise<void>
}

/** A second process that has a store open for writing (attached as `store`). Fails when the store is locked. */
export const startWriter = async (storePath: string): Promise<Writer> => {
  const child = fork(entry, [storePath], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [] })
  let errors = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const failed = once(child, 'exit').then(() => {
    throw new Error(`The writer could not open the store: ${errors}`)
  })
  failed.catch(() => undefined)
  await Promise.race([once(child, 'message'), failed])
  return {
    pid: child.pid,
    run: async (sql) => {
      child.send(sql)
      await Promise.race([once(child, 'message'), failed])
    },
    release: async () => {
      const gone = once(child, 'exit')
      child.send('release')
      await gone
    },
  }
}
