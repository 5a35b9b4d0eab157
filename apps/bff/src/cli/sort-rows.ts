import { UsageError } from './output.ts'
import { splitSort } from './parse-filters.ts'

/** The rows by `column`, `column:asc` or `column:desc` of these columns, the first of them first; what a row lacks comes last either way. */
export const sortRows = <Row extends object>(rows: readonly Row[], texts: readonly string[], columns: readonly string[]): Row[] => {
  const orders = texts.map((text) => orderBy(text, columns))
  return rows.toSorted((a, b) => {
    for (const order of orders) {
      const first = order(a, b)
      if (first !== 0) return first
    }
    return 0
  })
}

const orderBy = (text: string, columns: readonly string[]): ((a: object, b: object) => number) => {
  const { column, direction } = splitSort(text)
  if (!columns.includes(column)) throw new UsageError(`There is no column "${column}" to sort by here. Columns: ${columns.join(', ')}.`)
  const sign = direction === 'desc' ? -1 : 1
  return (a, b) => {
    const [x, y]: unknown[] = [Reflect.get(a, column), Reflect.get(b, column)]
    if (x === null || y === null) return Number(x === null) - Number(y === null)
    if (typeof x === 'number' && typeof y === 'number') return sign * Math.sign(x - y)
    const [left, right] = [String(x), String(y)]
    return left === right ? 0 : sign * (left < right ? -1 : 1)
  }
}
