import { asList, asText, longestSearch, withoutUndefined } from '../../lib/url-search.ts'

export const statuses = ['completed', 'running', 'failed'] as const
type Status = (typeof statuses)[number]

/** The address of the page, cleaned. */
export interface RunsSearch {
  q?: string
  status?: Status
  page?: number
  /** States that no run has, as `status=value`; stays in the address until it has been read. */
  ignored?: string[]
}

/** Far beyond any last page, and an offset that the server takes. */
const highestPage = 1_000_000
const mostIgnored = 10
const longestIgnored = 200

export const validateSearch = (raw: Record<string, unknown>): RunsSearch => {
  const page = Number(asText(raw.page) ?? raw.page)
  const asked = (asList(raw.status) ?? []).filter((text) => text.trim() !== '')
  const unknown = asked.filter((text) => !isStatus(text)).map((text) => `status=${text}`.slice(0, longestIgnored).toWellFormed())
  const before = (asList(raw.ignored) ?? []).filter((text) => text !== '')
  const ignored = [...new Set([...before, ...unknown])].slice(0, mostIgnored)
  return withoutUndefined({
    q: asText(raw.q)?.slice(0, longestSearch),
    status: asked.findLast(isStatus),
    page: Number.isInteger(page) && page > 1 ? Math.min(page, highestPage) : undefined,
    ignored: ignored.length === 0 ? undefined : ignored,
  })
}

const isStatus = (text: string): text is Status => statuses.some((status) => status === text)
