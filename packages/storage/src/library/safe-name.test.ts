import { basename, resolve } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { categoryFolders, foldedName, libraryStem, templateFolders } from './safe-name.ts'
import { hostileName, hostileNames } from './testing/hostile-names.ts'

const expectSafe = (folder: string) => {
  expect(basename(resolve('/library', folder))).toBe(folder)
  expect(folder).not.toMatch(/^\.|[. ]$|[<>:"/\\|?*]|\p{Cc}/u)
  expect(folder).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i)
  expect(folder.isWellFormed()).toBe(true)
  expect(Buffer.byteLength(folder)).toBeLessThanOrEqual(255)
}

describe('test_safe_name: folders for templates and categories', () => {
  it.each([
    ['Optimized PLS', 'optimized_pls'],
    ['optimized_pls', 'optimized_pls'],
    ['SNV > PLS (10)', 'snv__pls_(10)'],
    ['Blé dur / lot 2', 'blé_dur__lot_2'],
  ])('test_same_as_nirs4all: %s is %s', (name, folder) => {
    expect(libraryStem(name)).toBe(folder)
    expect(templateFolders(name).next().value).toBe(folder)
  })

  it('test_category_as_it_stands: nirs4all takes the name itself', () => {
    expect(categoryFolders('Full pipeline').next().value).toBe('Full pipeline')
  })

  it('test_name_cannot_escape: every folder ever proposed is a plain name inside', () => {
    fc.assert(
      fc.property(hostileName, (name) => {
        for (const folder of [...templateFolders(name).take(3), ...categoryFolders(name).take(3)]) expectSafe(folder)
      }),
      { numRuns: 500, examples: hostileNames.map((name): [string] => [name]) },
    )
  })

  it('test_two_names_stay_two: the folders of last resort of two names differ, on any file system', () => {
    fc.assert(
      fc.property(hostileName, hostileName, (left, right) => {
        fc.pre(left !== right)
        const own = (name: string) => foldedName([...templateFolders(name).take(9)].find((folder) => /[0-9a-f]{16}$/.test(folder)) ?? '')
        expect(own(left)).not.toBe(own(right))
      }),
      { numRuns: 500 },
    )
  })
})
