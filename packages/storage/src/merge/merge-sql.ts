/** SHA-256 over values, each with its length: no two lists of values give the same text. */
export const digestOf = (...values: readonly string[]): string =>
  `sha256(concat(${values.map((value) => `coalesce(strlen((${value})::VARCHAR)::VARCHAR || ':' || (${value})::VARCHAR, '-')`).join(', ')}))`

/** The id that a row gets when its own is taken: the same whenever the same row is merged. In the form of a UUID, as all ids of the store. */
export const newId = (table: string, id: string, digest: string): string => {
  const hash = digestOf(`'nirs-workspace/merge/1'`, `'${table}'`, id, digest)
  return `regexp_replace(${hash}, '^(.{8})(.{4})(.{4})(.{4})(.{12}).*$', '\\1-\\2-\\3-\\4-\\5')`
}

/**
 * JSON text without differences in spacing; text that is no JSON as `asJson` makes it, by which it is known again where it has come. Nothing, the
 * empty object and the empty text are alike.
 */
export const plainJson = (column: string): string =>
  `nullif(nullif(CASE WHEN json_valid(${column}) THEN json(${column})::VARCHAR ELSE to_json(${column})::VARCHAR END, '{}'), '""')`

/** Text for a JSON column, which takes nothing else. */
export const asJson = (column: string): string =>
  `CASE WHEN ${column} IS NULL OR json_valid(${column}) THEN ${column} ELSE to_json(${column})::VARCHAR END`

/** SQLite keeps no NaN: one prediction in both kinds of store is the same prediction. */
export const plainNumber = (column: string): string => `CASE WHEN isnan(${column}) THEN NULL ELSE ${column} END`

/** SQLite keeps whole seconds of some times. */
export const plainTime = (column: string): string => `date_trunc('second', ${column})`
