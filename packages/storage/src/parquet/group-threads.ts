import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { GroupAnswer, GroupRequest } from './group-messages.ts'
import { GroupWork } from './group-work.ts'

const mostThreads = 4
// Bytes of values: for less a thread takes longer to start than it saves.
const worthThreads = { read: 300e6, encode: 96e6 } as const

/** One who answers requests in order. */
interface Desk {
  ask(request: GroupRequest): Promise<GroupAnswer>
  close(): Promise<unknown>
}

/** Several threads that work on row groups of open files; for little work none, then it is done here. */
export class GroupThreads {
  readonly #desks: { readonly desk: Desk; asked: number }[]

  /** `bytes` of values are to be gone through, about: only read, or encoded anew, too. */
  constructor(bytes: number, work: keyof typeof worthThreads = 'read') {
    const threads = bytes < worthThreads[work] ? 0 : Math.min(mostThreads, availableParallelism())
    const desks = threads === 0 ? [ownDesk()] : Array.from({ length: threads }, threadDesk)
    this.#desks = desks.map((desk) => ({ desk, asked: 0 }))
  }

  /** How many requests are worth asking at a time. */
  get width(): number {
    return this.#desks.length * 2
  }

  async ask(request: GroupRequest): Promise<GroupAnswer> {
    const least = this.#desks.reduce((a, b) => (b.asked < a.asked ? b : a))
    least.asked += 1
    try {
      return await least.desk.ask(request)
    } finally {
      least.asked -= 1
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#desks.map(({ desk }) => desk.close()))
  }
}

const ownDesk = (): Desk => {
  const work = new GroupWork()
  let turn: Promise<unknown> = Promise.resolve()
  return {
    ask: (request) => {
      const answer = turn.then(() => work.answer(request))
      turn = answer
      return answer
    },
    close: () => turn,
  }
}

const threadDesk = (): Desk => {
  const worker = new Worker(new URL('./group-thread.ts', import.meta.url))
  const waiting: { resolve: (answer: GroupAnswer) => void; reject: (error: Error) => void }[] = []
  let failure: Error | undefined
  const fail = (error: Error) => {
    failure ??= error
    for (const { reject } of waiting.splice(0)) reject(failure)
  }
  worker.on('message', (answer: GroupAnswer) => waiting.shift()?.resolve(answer))
  worker.on('error', (error) => fail(error instanceof Error ? error : new Error(String(error))))
  worker.on('exit', () => fail(new Error('A thread that reads row groups has ended.')))
  return {
    ask: (request) => {
      if (failure !== undefined) return Promise.reject(failure)
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        worker.postMessage(request)
      })
    },
    close: () => worker.terminate(),
  }
}
