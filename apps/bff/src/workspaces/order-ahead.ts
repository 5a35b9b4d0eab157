import { prepareOrder } from '@nirs-workspace/storage'
import type { PredictionPage, PredictionQuery } from '@nirs-workspace/types'
import type { Log } from '../log.ts'
import type { OpenedWorkspace } from './opened-workspace.ts'

/** Long enough for the other questions of a page that has just been opened to be answered first. */
const quietMs = 400
/** Below this a page in the middle is quick without preparation. */
const manyRows = 50_000

/**
 * After the first page of a long table, makes the order that pages in the middle come from, so that a jump of the scroll bar does not
 * wait for it. Only the latest question of a workspace counts.
 */
export class OrderAhead {
  readonly #log: Log
  readonly #pending = new WeakMap<OpenedWorkspace, AbortController>()

  constructor(log: Log) {
    this.#log = log
  }

  afterPage(workspace: OpenedWorkspace, query: PredictionQuery, page: PredictionPage): void {
    if (query.offset > 0 || page.total < manyRows) return
    this.#pending.get(workspace)?.abort()
    const abort = new AbortController()
    this.#pending.set(workspace, abort)
    const timer = setTimeout(() => {
      workspace
        .query((catalog) => prepareOrder(catalog, query, { signal: abort.signal }))
        .catch((error: unknown) => {
          if (!abort.signal.aborted) this.#log.error('an order could not be prepared', { error })
        })
    }, quietMs)
    timer.unref()
    abort.signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  }
}
