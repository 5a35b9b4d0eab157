import { setFaultHook } from '../../files/fault-point.ts'
import { type FaultMode, faultHook } from '../../testing/fault-hooks.ts'
import { type FaultJobName, faultJobNames, faultJobs } from './maintenance-jobs.ts'

/**
 * Runs one job in a process of its own and fails operation n as told: `node maintenance-child.ts <job> <workspace> <mode> <n>`.
 * Prints `{"operations":…,"error":…}` if it lives to its end.
 */
const [, , name = '', path = '', mode = 'count', n = '0'] = process.argv
const isMode = (text: string): text is FaultMode => /^(count|kill|torn|stop|ENOSPC|EIO|EFBIG)(-sticky)?$/.test(text)
const job: FaultJobName | undefined = faultJobNames.find((known) => known === name)
if (!isMode(mode) || job === undefined) throw new Error(`Unknown mode ${mode} or job ${name}`)
const { hook, operations } = faultHook(mode, Number(n))
setFaultHook(hook)
let failure: string | null = null
try {
  await faultJobs[job].run(path)
} catch (error) {
  failure = error instanceof Error ? `${Reflect.get(error, 'code') ?? ''} ${error.message}` : String(error)
}
process.stdout.write(JSON.stringify({ operations: operations.length, error: failure }))
