import type { ExportRequest } from '@nirs-workspace/types'
import { send } from '../../api/client.ts'
import { fileNameOf } from './export-request.ts'

interface Saved {
  readonly name: string
  readonly bytes: number
}

/** The server or the connection broke off in the middle of a file. */
export class CutOff extends Error {
  readonly received: number

  constructor(received: number, cause: unknown) {
    super('The download was cut off.', { cause })
    this.received = received
  }
}

/** Asks for the export, reports bytes as they come in, and saves the file. Throws `ApiError`, `CutOff`, or the abort. */
export const downloadExport = async (
  workspace: string,
  body: ExportRequest,
  onBytes: (received: number) => void,
  signal: AbortSignal,
): Promise<Saved> => {
  const response = await send('/aggregated-predictions/export', { method: 'POST', query: { workspace }, body, signal })
  const name = fileNameOf(response.headers.get('content-disposition'), `predictions.${body.format}`)
  const blob = await collect(response, onBytes)
  const url = URL.createObjectURL(blob)
  clickLink(url, name)
  // The browser reads the blob after the click returns; a minute is ample.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
  return { name, bytes: blob.size }
}

/** Lets the browser itself download from an address. */
export const clickLink = (url: string, name: string): void => {
  const link = document.createElement('a')
  link.href = url
  link.download = name
  document.body.append(link)
  link.click()
  link.remove()
}

const collect = async (response: Response, onBytes: (received: number) => void): Promise<Blob> => {
  const type = response.headers.get('content-type') ?? 'application/octet-stream'
  if (response.body === null) return response.blob()
  const parts: Uint8Array<ArrayBuffer>[] = []
  let received = 0
  try {
    for await (const part of readAll(response.body)) {
      parts.push(part)
      received += part.byteLength
      onBytes(received)
    }
  } catch (cause) {
    throw new CutOff(received, cause)
  }
  return new Blob(parts, { type })
}

/** Not every browser can iterate a stream by itself. */
async function* readAll(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
}
