/**
 * An answer whose body comes chunk by chunk. The first chunk is awaited, so that what fails at once is told as a problem; a failure
 * later breaks the connection, and no short answer looks whole.
 */
export const sendStream = async (chunks: AsyncGenerator<Uint8Array>, headers: Record<string, string>): Promise<Response> => {
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
        await chunks.return(undefined)
      },
    },
    { highWaterMark: 1 },
  )
  return new Response(body, { headers })
}
