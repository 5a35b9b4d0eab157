import { quotedIdentifier } from '../engine/attach-store.ts'
import type { Chunk } from '../engine/stream-chunks.ts'
import { type ArrayColumn, type ArrayRow, arrayColumns } from './array-source.ts'
import { probaShape } from './proba-shape.ts'

const elementType: Record<ArrayColumn | 'y_proba_shape', 'DOUBLE[]' | 'INTEGER[]'> = {
  y_true: 'DOUBLE[]',
  y_pred: 'DOUBLE[]',
  y_proba: 'DOUBLE[]',
  sample_indices: 'INTEGER[]',
  weights: 'DOUBLE[]',
  y_proba_shape: 'INTEGER[]',
}

/**
 * What `readArrayRows` reads: prediction_id, the five lists, the shape and the length of y_true. A column that the source lacks or the
 * caller does not want is null. `available` holds the source's column names.
 */
export const arraySelect = (available: ReadonlySet<string>, wanted: readonly ArrayColumn[] = arrayColumns): string => {
  const expression = (name: ArrayColumn | 'y_proba_shape', read: boolean) =>
    `${read && available.has(name) ? quotedIdentifier(name) : 'NULL'}::${elementType[name]} AS ${name}`
  const measured = wanted.includes('y_proba') && available.has('y_true') ? 'len(y_true)' : 'NULL'
  return [
    'prediction_id',
    ...arrayColumns.map((name) => expression(name, wanted.includes(name))),
    expression('y_proba_shape', wanted.includes('y_proba')),
    `${measured}::INTEGER AS measured`,
  ].join(', ')
}

/** The rows of a chunk of `arraySelect`. */
export const readArrayRows = (chunk: Chunk): ArrayRow[] => {
  const ids = chunk.texts(0)
  const [yTrue, yPred, yProba] = [chunk.list(1), chunk.list(2), chunk.list(3)]
  const [indices, weights, shapes] = [chunk.list(4), chunk.list(5), chunk.list(6)]
  const measured = chunk.values(7)
  return ids.map((id, row): ArrayRow => {
    const y_proba = yProba.floats(row)
    const shape = shapes.integers(row)
    const samples = measured[row]
    return {
      prediction_id: id ?? '',
      y_true: yTrue.floats(row),
      y_pred: yPred.floats(row),
      y_proba,
      y_proba_shape: probaShape(
        shape === null ? null : Array.from(shape.values),
        y_proba?.values.length ?? null,
        typeof samples === 'number' ? samples : null,
      ),
      sample_indices: indices.integers(row),
      weights: weights.floats(row),
    }
  })
}
