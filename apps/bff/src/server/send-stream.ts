/**
 * An answer whose body comes chunk by chunk from `make`, which is told by its signal when nobody wants them any more. The first chunk is
 * awaited, so that what fails at once is told as a problem; a failure later breaks the connection, and no short answer looks whole.
 */
export const sendStream = async (
  request: Request,
  make: (signal: AbortSignal) => AsyncGenerator<Uint8Array>,
  headers: Record<string, string>,
): Promise<Response> => {
  // Its own, because a request that nothing refers to any more may take its signal with it.
  const abort = new AbortController()
  const stop = () => abort.abort()
  request.signal.addEventListener('abort', stop, { once: true })
  if (request.signal.aborted) stop()
  const chunks = make(abort.signal)
  const first = await chunks.next()
  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        if (first.done !== true) controller.enqueue(first.value)
      },
      pull: async (controller) => {
        const next = await chunks.next()
        if (next.done === true) controller.close()
        else controller.enqueue(next.value)
      },
      cancel: async () => {
        stop()
        await chunks.return(undefined)
      },
    },
    { highWaterMark: 1 },
  )
  return new Response(body, { headers })
}
