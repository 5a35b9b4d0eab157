import { describe, expect, it } from 'vitest'
import { makeFormatters } from '../lib/format.ts'
import { en } from './en.ts'
import { fr } from './fr.ts'
import { datasetLabel } from './value-label.ts'

const english = en(makeFormatters('en'))
const french = fr(makeFormatters('fr'))

describe('label of a dataset', () => {
  it.each(['wheat', 'soil pH', 'a & b', '日本語', '(empty name)', 'می‌شود'])('%s stays as it is', (name) => {
    expect(datasetLabel(name, english)).toBe(name)
  })

  it.each([
    ['', '‹empty name›', '‹nom vide›'],
    [' ', '‹space›', '‹espace›'],
    ['   ', '‹space ×3›', '‹espace ×3›'],
    [' wheat', '‹space›wheat', '‹espace›wheat'],
    ['wheat  ', 'wheat‹space ×2›', 'wheat‹espace ×2›'],
    ['soil  pH', 'soil‹space ×2›pH', 'soil‹espace ×2›pH'],
    ['tab\tnl\nx', 'tab‹tab›nl‹line break›x', 'tab‹tabulation›nl‹saut de ligne›x'],
    ['soil\u00a0pH', 'soil‹no-break space›pH', 'soil‹espace insécable›pH'],
    ['\u202eevil\u0000', '‹U+202E›evil‹U+0000›', '‹U+202E›evil‹U+0000›'],
  ])('what cannot be seen in %j is named', (name, inEnglish, inFrench) => {
    expect(datasetLabel(name, english)).toBe(inEnglish)
    expect(datasetLabel(name, french)).toBe(inFrench)
  })

  it('different names have different labels', () => {
    const parts = ['', ' ', '  ', '\t', '\u00a0', 'a', '‹', '‹space›', '‹empty name›', '›', ' ×2']
    const names = parts.flatMap((one) => parts.flatMap((two) => parts.map((three) => one + two + three)))
    // As a page shows it: blanks at the ends are gone, several are one.
    const seen = (name: string): string => datasetLabel(name, english).trim().replaceAll(/\s+/g, ' ')
    expect(new Set(names.map(seen)).size).toBe(new Set(names).size)
  })
})
