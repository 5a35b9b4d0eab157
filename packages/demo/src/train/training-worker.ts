import { parentPort, workerData } from 'node:worker_threads'
import { blockTrainer } from './train-block.ts'
import type { BlockTask, TrainingSetup } from './trained-block.ts'
import type { PoolReply } from './training-pool.ts'

// Both ends are this package's own: the pool starts the worker with a TrainingSetup and sends nothing but tasks.
const setup: TrainingSetup = workerData
const trainBlock = blockTrainer(setup)

const answer = (task: BlockTask): PoolReply => {
  try {
    return { block: trainBlock(task) }
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

parentPort?.on('message', (task: BlockTask) => {
  parentPort?.postMessage(answer(task))
})
