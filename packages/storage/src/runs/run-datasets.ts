import { decodeJson } from '../json/decode-json.ts'
import { entriesOf } from '../json/entries-of.ts'

/** Names in the column `datasets`: a list of objects with `name`, or of plain names. Text that is no JSON names none. */
export const parseDatasets = (text: string | null): string[] => {
  const value = decodeJson(text)
  return Array.isArray(value) ? [...new Set(value.flatMap(nameOf))] : []
}

const nameOf = (item: unknown): string[] => {
  const name = typeof item === 'string' ? item : new Map(entriesOf(item)).get('name')
  return typeof name === 'string' ? [name] : []
}
