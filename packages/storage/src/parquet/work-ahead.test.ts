import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { workAhead } from './work-ahead.ts'

const small = () => 1

test('results come in order, however long each takes, and never more are at work than allowed', async () => {
  let [atWork, most] = [0, 0]
  const work = async (item: number) => {
    atWork += 1
    most = Math.max(most, atWork)
    await setTimeout(item % 3)
    atWork -= 1
    return item * 2
  }
  const found: number[] = []
  const items = Array.from({ length: 20 }, (_, item) => item)
  for await (const { result } of workAhead(items, { width: 4, bytesOf: small }, work)) found.push(result)
  expect(found).toEqual(items.map((item) => item * 2))
  expect(most).toBe(4)
})

test('large items are worked on one by one', async () => {
  const begun: number[] = []
  const work = async (item: number) => {
    begun.push(item)
    return item
  }
  for await (const { result } of workAhead([0, 1, 2], { width: 4, bytesOf: () => 1e9 }, work)) expect(begun.at(-1)).toBe(result)
  expect(begun).toEqual([0, 1, 2])
})

test('a failure comes in its turn; what had begun has ended by then', async () => {
  const ended: number[] = []
  const work = async (item: number) => {
    await setTimeout(item === 1 ? 0 : 5)
    if (item === 1) throw new Error('one')
    ended.push(item)
    return item
  }
  const found: number[] = []
  const all = async () => {
    for await (const { result } of workAhead([0, 1, 2, 3, 4], { width: 4, bytesOf: small }, work)) found.push(result)
  }
  await expect(all()).rejects.toThrow('one')
  expect(found).toEqual([0])
  const before = [...ended]
  await setTimeout(20)
  expect(ended).toEqual(before)
})
