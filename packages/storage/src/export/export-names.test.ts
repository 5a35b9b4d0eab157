import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contentDisposition } from './content-disposition.ts'
import { caseless, exportFileName, uniqueNames } from './export-names.ts'

const hostile = [
  '',
  '.',
  '..',
  '../../x',
  '..\\..\\x',
  '/etc/passwd',
  'C:\\x',
  'CON',
  'nul.txt',
  'a\r\nb',
  'a\0b',
  '\u202eabc',
  '\ufeffx',
  '\ud800',
  '~',
  '-rf',
]

describe('exportFileName', () => {
  it('N8: keeps readable names readable', () => {
    expect(exportFileName('Blé dur / lot 2', 'parquet')).toBe('Blé dur _ lot 2.parquet')
    expect(exportFileName('wheat', 'csv')).toBe('wheat.csv')
    expect(exportFileName('CON', 'parquet')).toBe('_CON.parquet')
  })

  it.each(hostile)('N8: %j becomes a plain relative name', (name) => {
    const file = exportFileName(name, 'parquet')
    expect(file).toMatch(/^[^/\\:*?"<>|\p{C}]+\.parquet$/u)
    expect(file.startsWith('.')).toBe(false)
  })

  it('N8: a dataset that is called as another one with its hash keeps its file', () => {
    const hash = createHash('sha256').update('a|b').digest('hex').slice(0, 12)
    const names = uniqueNames(['a/b', `a_b-${hash}`, `A_B-${hash}-2`, 'a|b'], 'parquet')
    expect(names).toEqual(['a_b.parquet', `a_b-${hash}.parquet`, `A_B-${hash}-2.parquet`, `a_b-${hash}-3.parquet`])
  })

  it('N8: any names give entries that differ on every file system', () => {
    const names = fc.uniqueArray(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 12 }),
        fc.constantFrom('a', 'A', 'e\u0301', '\u00e9', 'ß', 'SS', 'x', 'x ', ' x', 'a/b', 'a:b', 'ﬁ', 'fi'),
      ),
      {
        maxLength: 20,
      },
    )
    fc.assert(
      fc.property(names, (datasets) => {
        const entries = uniqueNames(datasets, 'parquet')
        expect(new Set(entries.map(caseless)).size).toBe(datasets.length)
        for (const entry of entries) expect(entry).toMatch(/^[^/\\]+\.parquet$/)
      }),
    )
  })
})

describe('contentDisposition', () => {
  it.each([
    'a"b.parquet',
    '€.parquet',
    'a\r\nSet-Cookie: x.zip',
    ';filename=x.exe.zip',
    '../x.zip',
    '%22.zip',
    `${'x'.repeat(300)}.zip`,
    '\ud800.zip',
  ])('N5: %j is one header line that a server accepts', (name) => {
    const value = contentDisposition(name)
    expect(value).toMatch(/^attachment; filename="[ !#$&-:<-~]*"; filename\*=UTF-8''[\w!#$&+.^`|~%-]+$/)
    expect(new Headers({ 'content-disposition': value }).get('content-disposition')).toBe(value)
  })

  it('N5: carries the full name', () => {
    expect(contentDisposition("Blé (2) d'été.parquet")).toBe(
      `attachment; filename="Bl_ (2) d'_t_.parquet"; filename*=UTF-8''Bl%C3%A9%20%282%29%20d%27%C3%A9t%C3%A9.parquet`,
    )
  })
})
