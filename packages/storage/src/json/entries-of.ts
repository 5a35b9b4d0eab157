/** The entries of a JSON object; undefined for arrays, null and scalars. */
export const entriesOf = (value: unknown): [string, unknown][] | undefined =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? Object.entries(value) : undefined
