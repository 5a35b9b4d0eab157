import { isStorageError } from '@nirs-workspace/storage'
import { expect, test } from 'vitest'
import { Turns } from './turns.ts'

test('places are given in order, and who gives up while waiting is passed over', async () => {
  const turns = new Turns(1)
  const give = await turns.take()
  const order: string[] = []
  const abort = new AbortController()
  const second = turns.take().then((done) => {
    order.push('second')
    done()
  })
  const third = turns.take(abort.signal)
  const fourth = turns.run(async () => order.push('fourth'))
  abort.abort()
  await expect(third).rejects.toSatisfy((error) => isStorageError(error, 'cancelled'))
  give()
  give()
  await Promise.all([second, fourth])
  expect(order).toEqual(['second', 'fourth'])
})

test('a place given back twice counts once, and a signal that has been given already takes none', async () => {
  const turns = new Turns(1)
  const give = await turns.take()
  give()
  give()
  await expect(turns.take(AbortSignal.abort())).rejects.toSatisfy((error) => isStorageError(error, 'cancelled'))
  const holder = await turns.take()
  let isIn = false
  const next = turns.take().then(() => {
    isIn = true
  })
  await new Promise(setImmediate)
  expect(isIn).toBe(false)
  holder()
  await next
})
