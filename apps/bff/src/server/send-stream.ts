/** A client that takes nothing for so long is given up: what makes the chunks is needed by others. */
const defaultPatienceMs = 5 * 60_000

/**
 * An answer whose body comes chunk by chunk from `make`, which is told by its signal when nobody wants them any more. The first chunk is
 * awaited, so that what fails at once is told as a problem; a failure later breaks the connection, and no short answer looks whole.
 */
export const sendStream = async (
  request: Request,
  make: (signal: AbortSignal) => AsyncGenerator<Uint8Array>,
  headers: Record<string, string>,
  patienceMs = defaultPatienceMs,
): Promise<Response> => {
  // Its own, because a request that nothing refers to any more may take its signal with it.
  const abort = new AbortController()
  const stop = () => abort.abort()
  request.signal.addEventListener('abort', stop, { once: true })
  if (request.signal.aborted) stop()
  const chunks = make(abort.signal)
  const first = await chunks.next()
  let patience: NodeJS.Timeout | undefined
  const end = async (): Promise<void> => {
    clearTimeout(patience)
    stop()
    await chunks.return(undefined)
  }
  const wait = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    patience = setTimeout(() => {
      controller.error(new Error('The client has stopped reading.'))
      void end()
    }, patienceMs).unref()
  }
  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        if (first.done !== true) controller.enqueue(first.value)
        wait(controller)
      },
      pull: async (controller) => {
        clearTimeout(patience)
        const next = await chunks.next()
        if (next.done === true) return controller.close()
        controller.enqueue(next.value)
        wait(controller)
      },
      cancel: end,
    },
    { highWaterMark: 1 },
  )
  return new Response(body, { headers })
}
