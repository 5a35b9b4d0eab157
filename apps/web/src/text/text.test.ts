import { parseAst } from 'vite'
import { describe, expect, it } from 'vitest'
import { makeFormatters } from '../lib/format.ts'
import { en } from './en.ts'
import { fr } from './fr.ts'
import source from './fr.ts?raw'

/** Paths of all messages that are plain text, with the text. */
const leaves = (value: unknown, path = ''): [string, string][] => {
  if (typeof value === 'string') return [[path, value]]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}.${key}`))
}

/** All literal text of a program, that between the values of a template included. */
const literals = (node: unknown): string[] => {
  if (typeof node !== 'object' || node === null) return []
  const inner = Object.values(node).flatMap(literals)
  if (!('type' in node) || !('value' in node)) return inner
  if (node.type === 'Literal' && typeof node.value === 'string') return [node.value]
  if (node.type !== 'TemplateElement' || typeof node.value !== 'object' || node.value === null) return inner
  return 'cooked' in node.value && typeof node.value.cooked === 'string' ? [node.value.cooked] : inner
}

describe('messages', () => {
  it('French has every message, none empty', () => {
    const english = leaves(en(makeFormatters('en')))
    const french = new Map(leaves(fr(makeFormatters('fr'))))
    expect(english.filter(([path]) => !french.has(path))).toEqual([])
    expect([...french].filter(([, text]) => text.trim() === '')).toEqual([])
  })

  it('French does not break a line before a double sign', () => {
    const texts = literals(parseAst(source, { lang: 'ts' }))
    expect(texts).toContain('Tâches')
    expect(texts.filter((text) => / [;:?!»]|« /.test(text))).toEqual([])
  })
})
