/** `1 row`, `2 rows`. */
export const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`

const most = 10

/** The first names, in quotation marks, and how many more there are. */
export const quotedNames = (names: readonly string[]): string => {
  const shown = names.slice(0, most).map((name) => JSON.stringify(name))
  return names.length > most ? `${shown.join(', ')} and ${names.length - most} more` : shown.join(', ')
}
