import { createRequire } from 'node:module'

/**
 * The DuckDB client decodes every text with one TextDecoder that takes a leading U+FEFF for a mark of the encoding and drops it: a dataset
 * named U+FEFF + "x" would come out as "x". This puts a decoder that keeps it in its place, for everything that reads through the client in
 * this process. A release that decodes elsewhere is noticed here, before anything is read.
 */
export const keepLeadingMarks = (): void => {
  const accessors: unknown = createRequire(import.meta.url)('@duckdb/node-api/lib/vectors/dataAccessors.js')
  const isKnown = accessors !== null && typeof accessors === 'object' && Reflect.get(accessors, 'textDecoder') instanceof TextDecoder
  if (!isKnown || !Reflect.set(accessors, 'textDecoder', new TextDecoder('utf-8', { ignoreBOM: true })))
    throw new Error('This release of the DuckDB client decodes texts elsewhere; a leading U+FEFF would be lost.')
}
