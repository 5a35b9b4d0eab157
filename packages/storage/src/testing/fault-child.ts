import { setFaultHook } from '../files/fault-point.ts'
import { mergeBeside } from '../merge/testing/merge-faults.ts'
import { recoverWorkspace } from '../migration/recover-workspace.ts'
import { rollbackMigration } from '../migration/rollback-migration.ts'
import { runMigration } from '../migration/run-migration.ts'
import { rescueArrays } from '../rescue/rescue-arrays.ts'
import { type FaultMode, faultHook } from './fault-hooks.ts'

/**
 * Runs one job in a process of its own and fails operation n as told: `node fault-child.ts <job> <workspace> <mode> <n>`.
 * Prints `{"operations":…,"error":…}` if it lives to its end.
 */
const jobs: Record<string, (path: string) => Promise<unknown>> = {
  migrate: (path) => runMigration(path, { jobId: 'fault', batchSize: 2048 }),
  rollback: (path) => rollbackMigration(path, { jobId: 'fault-back' }),
  merge: (path) => mergeBeside(path),
  rescue: (path) => rescueArrays(path, { jobId: 'fault' }),
  recover: (path) => recoverWorkspace(path),
}

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
