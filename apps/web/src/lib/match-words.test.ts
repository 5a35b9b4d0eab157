import { describe, expect, it } from 'vitest'
import { matchRank, wordsOf } from './match-words.ts'

const rank = (query: string, name: string, more?: string) => matchRank(wordsOf(query), name, more)

describe('matching of words', () => {
  it('forgives case, accents, ligatures and the order of words', () => {
    expect(rank('ble dur', 'Blé dur / lot 2')).toBe(3)
    expect(rank('DUR blé', 'Ble\u0301 dur / lot 2')).toBe(2)
    expect(rank('oeuf', 'Œufs frais')).toBe(3)
    expect(rank('strasse', 'Straße 4')).toBe(3)
    expect(rank('reglages', 'Réglages')).toBe(3)
  })

  it('wants every word somewhere', () => {
    expect(rank('wheat rye', 'wheat')).toBeUndefined()
    expect(rank('wheat data', 'wheat', '/data/grain')).toBe(1)
    expect(rank('x', '')).toBeUndefined()
  })

  it('prefers the beginnings of words, also after signs', () => {
    expect(rank('ph', 'soil_pH')).toBe(2)
    expect(rank('ph', 'graphs of pH')).toBe(2)
    expect(rank('ph', 'graphs')).toBe(0)
  })

  it('takes every name for no search at all, and signs as they are', () => {
    expect(rank('  ', 'anything')).toBe(3)
    expect(rank('(a.*)[', 'a')).toBeUndefined()
    expect(rank('lot (2)', 'lot (2)')).toBe(3)
  })
})
