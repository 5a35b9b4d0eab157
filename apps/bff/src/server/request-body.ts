import { RequestError } from './problem.ts'

export const maxBodyBytes = 1024 * 1024

/**
 * The JSON body of a request; undefined when there is none. Only `application/json` in UTF-8 is taken: a form that another site submits
 * can carry no such type. Of duplicate keys the last wins.
 */
export const readJsonBody = async (request: Request): Promise<unknown> => {
  const type = request.headers.get('content-type')
  if (type !== null && !isJsonType(type)) throw mediaTypeError()
  if ((request.headers.get('content-encoding') ?? 'identity').toLowerCase() !== 'identity') throw mediaTypeError()
  const bytes = await readLimited(request)
  if (bytes.length === 0) return undefined
  if (type === null) throw mediaTypeError()
  try {
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return parsed
  } catch {
    throw new RequestError('invalid_json', 'The request body is not valid JSON in UTF-8.')
  }
}

const mediaTypeError = () => new RequestError('unsupported_media_type', 'Send the body as application/json in UTF-8, uncompressed.')

const isJsonType = (value: string): boolean => {
  const [type, ...parameters] = value.split(';').map((part) => part.trim().toLowerCase())
  return type === 'application/json' && parameters.every((parameter) => parameter === '' || /^charset="?utf-8"?$/.test(parameter))
}

const readLimited = async (request: Request): Promise<Uint8Array> => {
  const tooLarge = () => new RequestError('payload_too_large', `A request body may have ${maxBodyBytes} bytes at most.`)
  if (Number(request.headers.get('content-length') ?? 0) > maxBodyBytes) throw tooLarge()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.length
    if (size > maxBodyBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
