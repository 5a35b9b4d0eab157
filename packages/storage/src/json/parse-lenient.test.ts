import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeJson, decodeNumbers } from './decode-json.ts'
import { parseExactly, parseLenient, parseWithNumbers } from './parse-lenient.ts'

describe('JSON as Python writes it', () => {
  test('bare NaN and infinities become wire strings', () => {
    expect(parseLenient('{"a": NaN, "b": [Infinity, -Infinity, 1e5], "c": "x"}')).toEqual({
      a: 'NaN',
      b: ['Infinity', '-Infinity', 1e5],
      c: 'x',
    })
    expect(parseLenient('NaN')).toBe('NaN')
  })

  test('the same words inside strings and keys stay', () => {
    const value = { 'NaN, Infinity': 'say "NaN" \\', '-Infinity': ['\\"', 'NaN', '"'] }
    expect(parseLenient(JSON.stringify(value))).toEqual(value)
  })

  test('a key __proto__ is data', () => {
    const value = parseLenient('{"__proto__": {"polluted": NaN}}')
    expect(Object.keys(value ?? {})).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })

  test('what is no JSON is refused, also with words in it', () => {
    for (const text of ['', '{', "{'a': 1}", '"NaN', '"\\', '+NaN', 'NaNa', '{"a": nan}', 'NaN NaN', '--Infinity', '1.Infinity']) {
      expect(() => parseLenient(text), text).toThrow(SyntaxError)
      expect(() => parseWithNumbers(text), text).toThrow(SyntaxError)
    }
  })

  test('any JSON value comes through unchanged', () => {
    const words = fc.constantFrom('NaN', 'Infinity', '-Infinity', '\\', '"', '\\"NaN', '__proto__', '\u2028')
    const text = fc.oneof(
      words,
      fc.string({ unit: 'binary' }),
      fc.array(words).map((parts) => parts.join(' ')),
    )
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        text,
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (Object.is(number, -0) ? 0 : number)),
        fc.constantFrom(true, false, null),
        fc.array(tie('value')),
        fc.array(fc.tuple(text, tie('value'))).map((entries) => Object.fromEntries(entries)),
      ),
    }))
    fc.assert(
      fc.property(value, (sample) => {
        const json = JSON.stringify(sample)
        // Not the sample itself: V8 takes one key for another where `\` and `"` have followed the same keys.
        expect(JSON.stringify(parseLenient(json))).toBe(JSON.stringify(JSON.parse(json)))
      }),
    )
  })

  test('non-finite numbers anywhere come through beside strings that name them', () => {
    const token = fc.constantFrom('NaN', 'Infinity', '-Infinity', '"NaN"', '"-Infinity \\" NaN"', '1', 'null')
    fc.assert(
      fc.property(fc.array(token), (tokens) => {
        const expected = tokens.map((item) => (/^-?(NaN|Infinity)$/.test(item) ? item : JSON.parse(item)))
        expect(parseLenient(`[${tokens.join(' , ')}]`)).toEqual(expected)
        const numbers = tokens.map((item) => (/^-?(NaN|Infinity)$/.test(item) ? Number(item) : JSON.parse(item)))
        expect(parseWithNumbers(`{"__proto__": [${tokens.join(' , ')}]}`)).toEqual(Object.fromEntries([['__proto__', numbers]]))
      }),
    )
  })

  test('whole numbers that a double would change keep their digits', () => {
    const [large, small] = ['12345678901234567890', '-9007199254740993']
    const text = `{"seed": ${large}, "more": [${small}, 9007199254740991, ${large}.5, 1e${'0'.repeat(20)}1, 0.${large}], "${large}": "${large}"}`
    const others = [9007199254740991, Number(`${large}.5`), 10, Number(`0.${large}`)]
    expect(parseLenient(text)).toEqual({ seed: large, more: [small, ...others], [large]: large })
    expect(parseExactly(text)).toEqual({ seed: BigInt(large), more: [BigInt(small), ...others], [large]: large })
    expect(parseExactly(`[NaN, -Infinity, ${large}, "NaN"]`)).toEqual([Number.NaN, Number.NEGATIVE_INFINITY, BigInt(large), 'NaN'])
    for (const bad of [`0${large}`, `+${large}`, `${large}x`, `--${large}`]) {
      expect(() => parseLenient(bad), bad).toThrow(SyntaxError)
      expect(() => parseExactly(bad), bad).toThrow(SyntaxError)
    }
    const isHeld = (one: bigint) => String(Number(one)) === String(one)
    fc.assert(
      fc.property(fc.array(fc.bigInt()), (values) => {
        const text = `[${values.join(', ')}]`
        expect(parseLenient(text)).toEqual(values.map((one) => (isHeld(one) ? Number(one) : String(one))))
        expect(parseExactly(text)).toEqual(values.map((one) => (isHeld(one) ? Number(one) : one)))
      }),
    )
  })

  test('a column of a store whose JSON is too deep for its NaN stays text, as what is no JSON does', () => {
    const deep = `${'['.repeat(20_000)}NaN${']'.repeat(20_000)}`
    for (const text of [deep, '{']) expect(decodeNumbers(text) === text, text.slice(0, 9)).toBe(true)
    expect(decodeJson('{')).toBe('{')
    expect(decodeNumbers('[[NaN]]')).toEqual([[Number.NaN]])
  })

  test('a hostile text of a megabyte ends at once', () => {
    expect(() => parseLenient(`${'\\"'.repeat(500_000)}`)).toThrow(SyntaxError)
    expect(() => parseLenient(`"${'\\\\'.repeat(500_000)}\\`)).toThrow(SyntaxError)
  })
})
