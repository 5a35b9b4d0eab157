/** DuckDB's JavaScript values with bigints as numbers where that loses nothing; lists and structs are walked. */
export const toPlain = (value: unknown): unknown => {
  if (typeof value === 'bigint')
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value.toString()
  if (Array.isArray(value)) return value.map(toPlain)
  if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toPlain(inner)]))
  }
  return value
}
