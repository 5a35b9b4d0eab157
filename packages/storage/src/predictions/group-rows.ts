/** Values by key, in the order in which they came. */
export const groupRows = <T>(rows: readonly (readonly [string, T])[]): Map<string, T[]> =>
  new Map([...Map.groupBy(rows, ([key]) => key)].map(([key, entries]) => [key, entries.map(([, value]) => value)]))
