import { describe, expect, test } from 'vitest'
import { ResultCache } from './result-cache.ts'

const numbers = (capacity = 10) => new ResultCache<number>(capacity, (value) => value)
const pending = () => Promise.withResolvers<number>()

describe('remembered results', () => {
  test('those who ask meanwhile share one computation', async () => {
    const cache = numbers()
    const { promise, resolve } = pending()
    let computed = 0
    const compute = () => {
      computed += 1
      return promise
    }
    const answers = Promise.all([cache.get('a', compute), cache.get('a', compute)])
    expect(cache.peek('a')).toBeUndefined()
    resolve(7)
    expect(await answers).toEqual([7, 7])
    expect([await cache.get('a', compute), cache.peek('a'), computed]).toEqual([7, 7, 1])
  })

  test('one who leaves does not spoil it for the others', async () => {
    const cache = numbers()
    const { promise, resolve } = pending()
    const leaving = new AbortController()
    const left = cache.get('a', () => promise, leaving.signal)
    const stayed = cache.get('a', () => promise, new AbortController().signal)
    leaving.abort(new Error('gone'))
    await expect(left).rejects.toThrow('gone')
    resolve(3)
    expect(await stayed).toBe(3)
  })

  test('when the last one has left the computation is stopped, and the next request starts anew', async () => {
    const cache = numbers()
    const leaving = new AbortController()
    let stopped: unknown
    const endless = (signal: AbortSignal) =>
      new Promise<number>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          stopped = signal.reason
          reject(signal.reason)
        })
      })
    const left = cache.get('a', endless, leaving.signal)
    leaving.abort(new Error('gone'))
    await expect(left).rejects.toThrow('gone')
    expect(stopped).toMatchObject({ name: 'AbortError' })
    expect(await cache.get('a', () => Promise.resolve(1))).toBe(1)
    expect(cache.peek('a')).toBe(1)
  })

  test('a failure reaches everybody and is not kept', async () => {
    const cache = numbers()
    const fail = () => Promise.reject(new Error('broken'))
    await expect(Promise.all([cache.get('a', fail), cache.get('a', fail)])).rejects.toThrow('broken')
    expect(await cache.get('a', () => Promise.resolve(2))).toBe(2)
  })

  test('the least recently used go first, whatever is too large at once', async () => {
    const cache = numbers(10)
    await cache.get('a', () => Promise.resolve(4))
    await cache.get('b', () => Promise.resolve(4))
    cache.peek('a')
    await cache.get('c', () => Promise.resolve(4))
    expect([cache.peek('a'), cache.peek('b'), cache.peek('c')]).toEqual([4, undefined, 4])
    expect(await cache.get('huge', () => Promise.resolve(11))).toBe(11)
    expect(cache.peek('huge')).toBeUndefined()
  })
})
