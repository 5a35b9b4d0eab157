/**
 * The shape of y_proba. Two dimensions are kept as stored. Releases up to 0.7.1 stored no shape, and arrays converted from them carry
 * the length of the flat list (`[210]` for 30 × 7): there the number of classes is len(y_proba) / len(y_true).
 */
export const probaShape = (
  stored: readonly number[] | null,
  probaLength: number | null,
  trueLength: number | null,
): readonly number[] | null => {
  if (probaLength === null) return stored
  if (stored !== null && stored.length > 1) return stored
  const classes = trueLength === null || trueLength === 0 ? 0 : probaLength / trueLength
  if (Number.isInteger(classes) && classes > 1 && trueLength !== null) return [trueLength, classes]
  return stored ?? [probaLength]
}

/** The same as an SQL expression over columns or expressions of these names. */
export const probaShapeSql = (stored: string, proba: string, measured: string): string => `CASE
  WHEN ${proba} IS NULL OR coalesce(len(${stored}), 0) > 1 THEN ${stored}
  WHEN len(${measured}) > 0 AND len(${proba}) > len(${measured}) AND len(${proba}) % len(${measured}) = 0
    THEN [len(${measured})::INTEGER, (len(${proba}) // len(${measured}))::INTEGER]
  ELSE coalesce(${stored}, [len(${proba})::INTEGER])
END`
