import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arrayFileName } from './file-name.ts'

describe('arrayFileName', () => {
  it.each([
    ['wheat', 'wheat.parquet'],
    ['Rep (v1.2) / Blé dur', 'Rep_(v1_2)_Blé_dur.parquet'],
    ['Blé dur / lot 2', 'Blé_dur_lot_2.parquet'],
    ['soil pH', 'soil_pH.parquet'],
    ['soil_pH', 'soil_pH.parquet'],
    ['', 'unnamed.parquet'],
    ['..', 'unnamed.parquet'],
    ['../../etc/passwd', 'etc_passwd.parquet'],
    ['__proto__', 'proto.parquet'],
    ['a\u00a0b\u2003c\u0085d\x1ce', 'a_b_c_d_e.parquet'],
    ['\ufeffx', '\ufeffx.parquet'],
    ['CON', 'CON.parquet'],
    ['st*r', 'st_r.parquet'],
    ['[ab]', '[ab].parquet'],
  ])('N2 N3: names %j as the library does', (name, file) => {
    expect(arrayFileName(name)).toBe(file)
  })

  it('N3: makes names storable that the library could not store', () => {
    const long = 'é'.repeat(300)
    expect(Buffer.byteLength(arrayFileName(long))).toBeLessThanOrEqual(255)
    expect(arrayFileName(long)).not.toBe(arrayFileName(`${long}x`))
    expect(arrayFileName('a\0b')).toMatch(/^a_b-[0-9a-f]{16}\.parquet$/)
    expect(arrayFileName('x'.repeat(247))).toBe(`${'x'.repeat(247)}.parquet`)
  })

  it('N1: is always one plain file name of at most 255 bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
        const file = arrayFileName(name)
        expect(Buffer.byteLength(file)).toBeLessThanOrEqual(255)
        expect(file).not.toMatch(/[/\\:*?"<>|]/)
        expect(Array.from(file).every((character) => character >= ' ' && character !== '\x7f')).toBe(true)
        expect(file.startsWith('.')).toBe(false)
      }),
    )
  })
})
