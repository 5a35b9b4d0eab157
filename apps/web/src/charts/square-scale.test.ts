import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { finitePoints, lineInside, maxDrawn, niceDomain, residualDomain, squareDomain, thin } from './square-scale.ts'

const value = fc.double({ min: -1e6, max: 1e6, noNaN: true })
const points = fc.array(fc.record({ x: value, y: value }), { minLength: 1 }).map((all) => all.map((point, index) => ({ ...point, index })))

describe('square scale', () => {
  it('holds every measured and predicted value in one domain', () => {
    fc.assert(
      fc.property(points, (all) => {
        const [low, high] = squareDomain(all)
        expect(high).toBeGreaterThan(low)
        for (const point of all) {
          expect(Math.min(point.x, point.y)).toBeGreaterThanOrEqual(low)
          expect(Math.max(point.x, point.y)).toBeLessThanOrEqual(high)
        }
      }),
      { examples: [[[{ x: -999_999.999_999_997_9, y: -999_999.999_999_998, index: 0 }]]] },
    )
  })

  it('gives a single value and no value a range', () => {
    expect(niceDomain([])).toEqual([0, 1])
    const [low, high] = niceDomain([5])
    expect(low).toBeLessThan(5)
    expect(high).toBeGreaterThan(5)
  })

  it('puts zero in the middle of residuals', () => {
    fc.assert(
      fc.property(points, (all) => {
        const [low, high] = residualDomain(all)
        expect(low).toBe(-high)
        for (const point of all) expect(Math.abs(point.y - point.x)).toBeLessThanOrEqual(high)
      }),
    )
  })

  it('takes more residuals than a call takes arguments', () => {
    const many = Array.from({ length: 300_000 }, (_, index) => ({ index, x: 0, y: index % 7 }))
    expect(residualDomain(many)[1]).toBeGreaterThanOrEqual(6)
    expect(residualDomain([])[1]).toBeGreaterThan(0)
  })

  it('leaves out what cannot be drawn and remembers its place', () => {
    expect(finitePoints([1, null, 3, Number.NaN], [1, 2, Number.POSITIVE_INFINITY, 4])).toEqual([{ index: 0, x: 1, y: 1 }])
  })

  it('draws at most so many points, the worst residuals always', () => {
    const many = Array.from({ length: 3 * maxDrawn }, (_, index) => ({ index, x: index, y: index + (index === 7001 ? 99 : 0) }))
    const drawn = thin(many)
    expect(drawn.length).toBeLessThanOrEqual(maxDrawn + 6)
    expect(drawn.some((point) => point.index === 7001)).toBe(true)
  })

  it('draws the greatest and the least values, and the point that is marked', () => {
    const many = Array.from({ length: 3 * maxDrawn }, (_, index) => ({ index, x: index % 90, y: index % 90 }))
    many[7001] = { index: 7001, x: 500, y: 500 }
    many[7004] = { index: 7004, x: -500, y: -500 }
    const drawn = thin(many, { marked: 7007 }).map(({ index }) => index)
    expect(drawn).toEqual(expect.arrayContaining([7001, 7004, 7007]))
    expect(drawn).toEqual(drawn.toSorted((a, b) => a - b))
  })

  it('draws of each target as many', () => {
    const two = Array.from({ length: 2 * maxDrawn }, (_, index) => ({ index, x: index, y: index }))
    const odd = thin(two, { targets: 2 }).filter((point) => point.index % 2 === 1).length
    expect(odd).toBeGreaterThanOrEqual(maxDrawn / 2)
    expect(odd).toBeLessThanOrEqual(maxDrawn / 2 + 2)
  })

  it('keeps the fitted line inside the square', () => {
    expect(lineInside(1, 0, [0, 10])).toEqual([
      [0, 0],
      [10, 10],
    ])
    expect(lineInside(0, 20, [0, 10])).toBeUndefined()
    expect(lineInside(Number.NaN, 0, [0, 10])).toBeUndefined()
    fc.assert(
      fc.property(fc.double({ min: -5, max: 5, noNaN: true }), fc.double({ min: -20, max: 20, noNaN: true }), (slope, intercept) => {
        for (const [x, y] of lineInside(slope, intercept, [0, 10]) ?? []) {
          expect(x).toBeGreaterThanOrEqual(0)
          expect(x).toBeLessThanOrEqual(10)
          expect(y).toBeGreaterThan(-1e-6)
          expect(y).toBeLessThan(10 + 1e-6)
        }
      }),
    )
  })
})
