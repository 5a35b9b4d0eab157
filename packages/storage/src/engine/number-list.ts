/**
 * One list of numbers as the store holds it. A null list is `null`, not an empty `NumberList`; a null element is marked in `nulls`
 * (1 = null) and stays apart from NaN. `values` may be a view on a larger buffer: copy it to keep it for long.
 */
export interface NumberList<V extends Float64Array | Int32Array = Float64Array | Int32Array> {
  readonly values: V
  readonly nulls: Uint8Array | null
}
export type FloatList = NumberList<Float64Array>
export type IntegerList = NumberList<Int32Array>

/** The elements as plain numbers, null for null elements. */
export const elementsOf = (list: NumberList): (number | null)[] =>
  Array.from(list.values, (value, index) => (list.nulls?.[index] === 1 ? null : value))

/** A list from plain numbers; the inverse of `elementsOf`. */
export const floatList = (elements: readonly (number | null)[]): FloatList => ({
  values: Float64Array.from(elements, (value) => value ?? Number.NaN),
  nulls: markNulls(elements),
})

export const integerList = (elements: readonly (number | null)[]): IntegerList => ({
  values: Int32Array.from(elements, (value) => value ?? 0),
  nulls: markNulls(elements),
})

const markNulls = (elements: readonly (number | null)[]): Uint8Array | null =>
  elements.includes(null) ? Uint8Array.from(elements, (value) => (value === null ? 1 : 0)) : null
