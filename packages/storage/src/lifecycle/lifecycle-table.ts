/** Where a run or a pipeline can be, and what can happen to it. nirs4all itself writes `running`, `completed` and `failed` only. */
export const lifecycleStates = ['queued', 'running', 'paused', 'completed', 'failed', 'cancelled'] as const
export type LifecycleState = (typeof lifecycleStates)[number]

export const lifecycleEvents = ['start', 'pause', 'resume', 'complete', 'fail', 'cancel', 'retry'] as const
export type LifecycleEvent = (typeof lifecycleEvents)[number]

/** `refused` is a decision, written down: a cell left out does not compile. */
export type LifecycleTable = Record<LifecycleState, Record<LifecycleEvent, LifecycleState | 'refused'>>

/**
 * Every state against every event. What is running is paused before it is cancelled, so that nothing is cut off in the middle of a
 * pipeline; completed and cancelled are final; what failed may be queued again.
 */
export const lifecycleTable = {
  queued: {
    start: 'running',
    pause: 'refused',
    resume: 'refused',
    complete: 'refused',
    fail: 'refused',
    cancel: 'cancelled',
    retry: 'refused',
  },
  running: {
    start: 'refused',
    pause: 'paused',
    resume: 'refused',
    complete: 'completed',
    fail: 'failed',
    cancel: 'refused',
    retry: 'refused',
  },
  paused: {
    start: 'refused',
    pause: 'refused',
    resume: 'running',
    complete: 'refused',
    fail: 'refused',
    cancel: 'cancelled',
    retry: 'refused',
  },
  completed: {
    start: 'refused',
    pause: 'refused',
    resume: 'refused',
    complete: 'refused',
    fail: 'refused',
    cancel: 'refused',
    retry: 'refused',
  },
  failed: {
    start: 'refused',
    pause: 'refused',
    resume: 'refused',
    complete: 'refused',
    fail: 'refused',
    cancel: 'refused',
    retry: 'queued',
  },
  cancelled: {
    start: 'refused',
    pause: 'refused',
    resume: 'refused',
    complete: 'refused',
    fail: 'refused',
    cancel: 'refused',
    retry: 'refused',
  },
} as const satisfies LifecycleTable
