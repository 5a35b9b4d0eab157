import { setFaultHook } from '../../files/fault-point.ts'
import { type FaultMode, faultHook } from '../../testing/fault-hooks.ts'
import { vacuumWorkspace } from '../../vacuum/vacuum-store.ts'
import { flushAgain } from './store-fixture.ts'

/** Runs one change in a process of its own and fails operation n as told: `node store-child.ts <job> <workspace> <mode> <n>`. */
const jobs: Record<string, (path: string) => Promise<unknown>> = { flush: flushAgain, vacuum: vacuumWorkspace }
const [, , job = '', path = '', mode = 'count', n = '0'] = process.argv
const isMode = (text: string): text is FaultMode => /^(count|kill|torn|stop|ENOSPC|EIO|EFBIG)(-sticky)?$/.test(text)
if (!isMode(mode)) throw new Error(`Unknown mode ${mode}`)
const { hook, operations } = faultHook(mode, Number(n))
setFaultHook(hook)
let failure: string | null = null
try {
  await jobs[job]?.(path)
} catch (error) {
  failure = error instanceof Error ? `${Reflect.get(error, 'code') ?? ''} ${error.message}` : String(error)
}
process.stdout.write(JSON.stringify({ operations: operations.length, error: failure }))
