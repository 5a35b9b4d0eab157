import { Worker } from 'node:worker_threads'
import { blockTrainer } from './train-block.ts'
import type { BlockTask, TrainedBlock, TrainingSetup } from './trained-block.ts'

/** Trains blocks, here or in worker threads. Answers come for each task, whatever the order they are finished in. */
export interface TrainingPool {
  train(task: BlockTask): Promise<TrainedBlock>
  close(): Promise<void>
}

export interface PoolReply {
  readonly id: number
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

interface Waiting {
  resolve(block: TrainedBlock): void
  reject(error: Error): void
}

const workerPool = (setup: TrainingSetup, size: number): TrainingPool => {
  const waiting = new Map<number, Waiting>()
  const failAll = (error: Error) => {
    for (const task of waiting.values()) task.reject(error)
    waiting.clear()
  }
  const settle = (reply: PoolReply) => {
    const task = waiting.get(reply.id)
    waiting.delete(reply.id)
    if (reply.block !== undefined) task?.resolve(reply.block)
    else task?.reject(new Error(reply.error ?? 'The worker gave neither a result nor an error'))
  }
  const workers = Array.from({ length: size }, () => {
    const worker = new Worker(new URL('./training-worker.ts', import.meta.url), { workerData: setup })
    worker.on('message', settle)
    worker.on('error', failAll)
    return worker
  })
  let next = 0
  return {
    train: (task) =>
      new Promise((resolve, reject) => {
        const id = next++
        waiting.set(id, { resolve, reject })
        workers[id % size]?.postMessage({ id, task })
      }),
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}

/** `workers` 0 trains in this thread. */
export const openTrainingPool = (setup: TrainingSetup, workers: number): TrainingPool =>
  workers === 0 ? inlinePool(setup) : workerPool(setup, workers)
