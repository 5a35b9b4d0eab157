import { describe, expect, it } from 'vitest'
import { makeFormatters } from '../lib/format.ts'
import { en } from './en.ts'
import { fr } from './fr.ts'

/** Paths of all messages that are plain text, with the text. */
const leaves = (value: unknown, path = ''): [string, string][] => {
  if (typeof value === 'string') return [[path, value]]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}.${key}`))
}

describe('messages', () => {
  it('French has every message, none empty', () => {
    const english = leaves(en(makeFormatters('en')))
    const french = new Map(leaves(fr(makeFormatters('fr'))))
    expect(english.filter(([path]) => !french.has(path))).toEqual([])
    expect([...french].filter(([, text]) => text.trim() === '')).toEqual([])
  })

  it('French does not break a line before a double sign', () => {
    expect(leaves(fr(makeFormatters('fr'))).filter(([, text]) => / [;:?!»]|« /.test(text))).toEqual([])
  })
})
