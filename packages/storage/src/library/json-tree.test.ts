import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, contentHash, prettyJson, toWireJson } from './json-text.ts'
import { type JsonTree, parseJsonTree, toJsonTree } from './json-tree.ts'

const tree: fc.Arbitrary<JsonTree> = fc.letrec<{ tree: JsonTree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.string({ unit: 'binary' }),
    fc.bigInt(),
    fc.double(),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.array(fc.tuple(fc.oneof(fc.string(), fc.constant('__proto__')), tie('tree')), { maxLength: 4 }).map((entries) => new Map(entries)),
  ),
})).tree

describe('test_json_tree: JSON as Python reads it', () => {
  it('test_roundtrip: what is written is read back, integers, floats, −0, NaN and infinities told apart', () => {
    fc.assert(
      fc.property(tree, (value) => {
        expect(parseJsonTree(prettyJson(value))).toStrictEqual(value)
        expect(parseJsonTree(canonicalJson(value))).toEqual(value)
      }),
    )
  })

  it('test_key_order: does not change the identity, and the layout neither', () => {
    const one = parseJsonTree('{"b": [1, 2.5], "a": {"x": null, "w": true}}')
    const other = parseJsonTree('{"a":{"w":true,"x":null},\n"b":[1,25e-1]}')
    expect(canonicalJson(one)).toBe('{"a":{"w":true,"x":null},"b":[1,2.5]}')
    expect(contentHash(one)).toBe(contentHash(other))
  })

  it('test_integer_is_not_float: max_features=1 and max_features=1.0 are two pipelines', () => {
    expect(contentHash(parseJsonTree('{"max_features": 1}'))).not.toBe(contentHash(parseJsonTree('{"max_features": 1.0}')))
    expect(prettyJson(parseJsonTree('[1.0, 1e3, 12345678901234567890, NaN, -Infinity]'))).toBe(
      '[\n  1.0,\n  1000.0,\n  12345678901234567890,\n  NaN,\n  -Infinity\n]',
    )
  })

  it('test_agrees_with_json: plain values are what JSON.stringify makes of them', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        expect(toWireJson(parseJsonTree(JSON.stringify(value)))).toEqual(JSON.parse(JSON.stringify(value), longIntegerAsText))
        expect(toJsonTree(JSON.parse(JSON.stringify(value)))).toBeDefined()
      }),
    )
  })

  it.each(['', '{', '[1,]', '{"a"}', '{"a":1,}', '01', '1.', '.5', "'a'", '"a', '"\u0001"', 'nul', '[1] 2', '{1:2}', '-', '+1', '"\\x"'])(
    'test_not_json: refuses %s with the place',
    (text) => {
      expect(() => parseJsonTree(text)).toThrow(SyntaxError)
    },
  )

  it('test_hostile_json: deep nesting and long integers are refused rather than exhausting the program', () => {
    expect(() => parseJsonTree('['.repeat(100_000))).toThrow(/levels deep/)
    expect(() => parseJsonTree('9'.repeat(10_000))).toThrow(/digits/)
    expect(toJsonTree(new Date())).toBeUndefined()
    expect(toJsonTree({ step: () => 1 })).toBeUndefined()
    expect(parseJsonTree(JSON.stringify('x'.repeat(5_000_000)))).toHaveLength(5_000_000)
    const loop: unknown[] = []
    loop.push(loop)
    expect(toJsonTree(loop)).toBeUndefined()
    const wire = toWireJson(parseJsonTree('{"__proto__": {"polluted": true}}'))
    expect(Object.keys(wire ?? {})).toEqual(['__proto__'])
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })
})

const longIntegerAsText = (_key: string, value: unknown) =>
  typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(String(value)) ? String(value) : value
