import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { moveCell } from './grid-keyboard.ts'
import { blocksOf } from './row-range.ts'

const size = { rows: 1_000_000, columns: 12, page: 20 }
const press = (row: number, column: number, key: string, ctrl = false) => moveCell({ row, column }, { key, ctrl }, size)

describe('grid keyboard', () => {
  it('moves by cells, pages and to the ends', () => {
    expect(press(5, 3, 'ArrowDown')).toEqual({ row: 6, column: 3 })
    expect(press(0, 3, 'ArrowUp')).toEqual({ row: -1, column: 3 })
    expect(press(-1, 3, 'PageUp')).toEqual({ row: -1, column: 3 })
    expect(press(5, 3, 'PageDown')).toEqual({ row: 25, column: 3 })
    expect(press(5, 3, 'Home')).toEqual({ row: 5, column: 0 })
    expect(press(5, 3, 'End')).toEqual({ row: 5, column: 11 })
    expect(press(5, 3, 'Home', true)).toEqual({ row: 0, column: 0 })
    expect(press(5, 3, 'End', true)).toEqual({ row: 999_999, column: 11 })
    expect(press(5, 3, 'a')).toBeUndefined()
  })

  it('never leaves the grid', () => {
    const key = fc.constantFrom('ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight', 'PageUp', 'PageDown', 'Home', 'End')
    fc.assert(
      fc.property(fc.integer({ min: -1, max: 999_999 }), fc.nat(11), fc.array(fc.tuple(key, fc.boolean())), (row, column, keys) => {
        const end = keys.reduce((cell, [name, ctrl]) => moveCell(cell, { key: name, ctrl }, size) ?? cell, { row, column })
        expect(end.row).toBeGreaterThanOrEqual(-1)
        expect(end.row).toBeLessThan(size.rows)
        expect(end.column).toBeGreaterThanOrEqual(0)
        expect(end.column).toBeLessThan(size.columns)
      }),
    )
  })
})

describe('blocks', () => {
  it('are those that hold the rows, and none beyond the last row', () => {
    expect(blocksOf({ first: 0, last: 50 }, 200, undefined)).toEqual([0])
    expect(blocksOf({ first: 190, last: 410 }, 200, 1000)).toEqual([0, 1, 2])
    expect(blocksOf({ first: 990, last: 1030 }, 200, 1000)).toEqual([4])
    expect(blocksOf({ first: 0, last: 10 }, 200, 0)).toEqual([0])
  })
})
