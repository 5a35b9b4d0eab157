import fc from 'fast-check'
import { expect, test } from 'vitest'
import { yamlText } from './yaml-text.ts'

test('a tree as blocks: keys, lists of objects, lists of lists, empty ones', () => {
  const value = {
    name: 'Blé dur',
    n: 2,
    pipelines: [
      { id: 'p-1', chains: [], config: {} },
      { id: 'p-2', steps: [['SNV', 1.5], []] },
    ],
    none: null,
    gone: undefined,
  }
  expect(yamlText(value)).toBe(`name: "Blé dur"
"n": 2
pipelines:
  - id: "p-1"
    chains: []
    config: {}
  - id: "p-2"
    steps:
      - - "SNV"
        - 1.5
      - []
"none": null
`)
})

test('what YAML 1.1 takes for something else: words, numbers as text, floats without a point, non-finite, odd keys', () => {
  expect(
    yamlText({ y: 'no', '1': '1e3', a: 1e-7, b: 1e21, c: Number.NaN, d: Number.NEGATIVE_INFINITY, e: -0, 'a b': true, f: 1.5e-9 }),
  ).toBe(`"1": "1e3"
"y": "no"
a: 1.0e-7
b: 1.0e+21
c: .nan
d: -.inf
e: -0.0
"a b": true
f: 1.5e-9
`)
})

test('any text stays on its line and comes back as JSON', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const line = yamlText({ key: text })
      expect(line).toMatch(/^key: "[\x20-\x7e\u00a0-\ud7ff\ud800-\udfff\ue000-\ufffd]*"\n$/)
      expect(JSON.parse(line.slice(5))).toBe(text.toWellFormed())
    }),
  )
})
