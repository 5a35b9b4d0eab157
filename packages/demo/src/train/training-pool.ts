import { Worker } from 'node:worker_threads'
import { blockTrainer } from './train-block.ts'
import type { BlockTask, TrainedBlock, TrainingSetup } from './trained-block.ts'

/** Trains blocks, here or in worker threads. Answers come for each task, whatever the order they are finished in. */
export interface TrainingPool {
  train(task: BlockTask): Promise<TrainedBlock>
  close(): Promise<void>
}

export interface PoolReply {
  readonly block?: TrainedBlock
  readonly error?: string
}

const inlinePool = (setup: TrainingSetup): TrainingPool => {
  const trainBlock = blockTrainer(setup)
  return {
    train: async (task) => {
      // Lets a server that makes its demo breathe between two blocks.
      await new Promise((resume) => setImmediate(resume))
      return trainBlock(task)
    },
    close: async () => undefined,
  }
}

interface QueuedTask {
  readonly task: BlockTask
  resolve(block: TrainedBlock): void
  reject(error: Error): void
}

const workerPool = (setup: TrainingSetup, size: number): TrainingPool => {
  const queue: QueuedTask[] = []
  const running = new Map<Worker, QueuedTask>()
  const workers = Array.from({ length: size }, () => new Worker(new URL('./training-worker.ts', import.meta.url), { workerData: setup }))

  // A free worker takes the next task itself: blocks differ too much in length to be dealt out in turn.
  const feed = (worker: Worker) => {
    if (running.has(worker)) return
    const next = queue.shift()
    if (next === undefined) return
    running.set(worker, next)
    worker.postMessage(next.task)
  }
  const settle = (worker: Worker, reply: PoolReply) => {
    const finished = running.get(worker)
    running.delete(worker)
    feed(worker)
    if (reply.block !== undefined) finished?.resolve(reply.block)
    else finished?.reject(new Error(reply.error ?? 'The worker gave neither a result nor an error'))
  }
  const failAll = (error: Error) => {
    for (const task of [...running.values(), ...queue.splice(0)]) task.reject(error)
    running.clear()
  }
  for (const worker of workers) {
    worker.on('message', (reply: PoolReply) => settle(worker, reply))
    worker.on('error', failAll)
  }
  return {
    train: (task) =>
      new Promise((resolve, reject) => {
        queue.push({ task, resolve, reject })
        for (const worker of workers) feed(worker)
      }),
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}

/** `workers` 0 trains in this thread. */
export const openTrainingPool = (setup: TrainingSetup, workers: number): TrainingPool =>
  workers === 0 ? inlinePool(setup) : workerPool(setup, workers)
