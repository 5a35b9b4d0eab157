/**
 * Addresses as people read them: `?dataset_name=wheat&dataset_name=rye&sort=val_score:asc`. Every value stays text,
 * a repeated name becomes a list; pages give values their types.
 */
export type RawSearch = Record<string, string | string[]>

export const parseSearch = (text: string): RawSearch => {
  const search: RawSearch = {}
  for (const [name, value] of new URLSearchParams(text)) {
    const before = search[name]
    search[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]
  }
  return search
}

export const stringifySearch = (search: Record<string, unknown>): string => {
  const parts: string[] = []
  for (const [name, value] of Object.entries(search)) {
    if (value === undefined || value === null) continue
    for (const one of Array.isArray(value) ? value : [value]) parts.push(`${encode(name)}=${encode(String(one))}`)
  }
  return parts.length === 0 ? '' : `?${parts.join('&')}`
}

/** Signs that are allowed in a query and read better as themselves. */
const readable: Record<string, string> = { '%2C': ',', '%3A': ':', '%2F': '/', '%20': '+' }

const encode = (text: string): string => encodeURIComponent(text).replace(/%2C|%3A|%2F|%20/g, (found) => readable[found] ?? found)

export const asList = (value: unknown): string[] | undefined => {
  if (typeof value === 'string') return [value]
  if (!Array.isArray(value)) return undefined
  const texts = value.filter((one): one is string => typeof one === 'string')
  return texts.length === 0 ? undefined : texts
}

/** Characters of a search that the server takes. */
export const longestSearch = 500

export const asText = (value: unknown): string | undefined => asList(value)?.at(-1)

/**
 * The router lays what a page makes of an address over the address itself: a value that the page has dropped would be seen all the same.
 * Gives every other name that came an undefined value; `workspace` is the frame's.
 */
export const overRaw = <T extends object>(raw: Readonly<Record<string, unknown>>, clean: T): T => {
  const others = Object.keys(raw).filter((name) => name !== 'workspace')
  return Object.assign(Object.fromEntries(others.map((name) => [name, undefined])), clean)
}

/** Drops keys without a value, so that absent and undefined are one thing (`exactOptionalPropertyTypes`). */
export const withoutUndefined = <T extends object>(record: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> }
