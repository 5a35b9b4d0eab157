import * as z from 'zod'
import { WireError } from './wire-error.ts'

/** What a one-shot process is asked to do with the workspace at `path`. */
export const Task = z.discriminatedUnion('task', [
  z.object({ task: z.literal('build_catalog'), path: z.string(), cache: z.string() }),
  z.object({ task: z.literal('storage_status'), path: z.string(), cache: z.string() }),
  z.object({ task: z.literal('inspect'), path: z.string(), cache: z.string() }),
  z.object({ task: z.literal('stats'), path: z.string(), cache: z.string() }),
  z.object({ task: z.literal('plan_migration'), path: z.string() }),
  z.object({ task: z.literal('migrate_status'), path: z.string(), cache: z.string() }),
  z.object({ task: z.literal('delete_backup'), path: z.string() }),
])
export type Task = z.infer<typeof Task>

export const TaskAnswer = z.discriminatedUnion('type', [
  z.object({ type: z.literal('value'), value: z.unknown() }),
  z.object({ type: z.literal('error'), error: WireError }),
])
