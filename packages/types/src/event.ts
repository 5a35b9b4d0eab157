import * as z from 'zod'
import { LockHolder } from './error.ts'
import { Job, JobProgress } from './job.ts'

/** Channels: `jobs` (all jobs), `job:<job_id>` (one), `workspace:<id>`. Sequence numbers count per channel, from 1; past progress is not told again. */
export const ClientMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('subscribe'), channel: z.string().min(1).max(200), since_seq: z.number().int().min(0).optional() }),
  z.object({ type: z.literal('unsubscribe'), channel: z.string().min(1).max(200) }),
])
export type ClientMessage = z.infer<typeof ClientMessage>

const envelope = { channel: z.string(), seq: z.number().int(), timestamp: z.string() }

export const ServerEvent = z.discriminatedUnion('type', [
  /** First answer to a subscription: the state as it is now; `seq` is the last number it includes. */
  z.object({ type: z.literal('snapshot'), ...envelope, data: z.object({ jobs: z.array(Job) }) }),
  z.object({
    type: z.literal('maintenance_started'),
    ...envelope,
    data: z.object({ job_id: z.string(), operation: z.string(), job: Job }),
  }),
  z.object({
    type: z.literal('maintenance_progress'),
    ...envelope,
    data: z.object({ job_id: z.string(), operation: z.string(), cancellable: z.boolean(), progress: JobProgress }),
  }),
  z.object({
    type: z.literal('maintenance_completed'),
    ...envelope,
    data: z.object({ job_id: z.string(), operation: z.string(), job: Job }),
  }),
  z.object({ type: z.literal('maintenance_failed'), ...envelope, data: z.object({ job_id: z.string(), operation: z.string(), job: Job }) }),
  z.object({
    type: z.literal('maintenance_cancelled'),
    ...envelope,
    data: z.object({ job_id: z.string(), operation: z.string(), job: Job }),
  }),
  z.object({ type: z.literal('catalog_updated'), ...envelope, data: z.object({ workspace_id: z.string(), fingerprint: z.string() }) }),
  z.object({
    type: z.literal('workspace_locked'),
    ...envelope,
    data: z.object({ workspace_id: z.string(), locked_by: LockHolder.nullable() }),
  }),
  z.object({ type: z.literal('workspace_unlocked'), ...envelope, data: z.object({ workspace_id: z.string() }) }),
  /** Nothing that could be this workspace is at its path any more: renamed, moved, or its disk is not connected. */
  z.object({ type: z.literal('workspace_missing'), ...envelope, data: z.object({ workspace_id: z.string() }) }),
  z.object({ type: z.literal('workspace_found'), ...envelope, data: z.object({ workspace_id: z.string() }) }),
])
export type ServerEvent = z.infer<typeof ServerEvent>
