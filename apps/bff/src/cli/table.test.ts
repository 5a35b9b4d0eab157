import { expect, test } from 'vitest'
import { formatTable } from './table.ts'

test('a table may have any number of rows, and is as wide as its widest', () => {
  const rows = Array.from({ length: 200_000 }, (_, row) => [row, row === 150_000 ? 'wider' : 'a'])
  const lines = formatTable(['number', 'name'], rows).split('\n')
  expect(lines).toHaveLength(200_001)
  expect([lines[0], lines[1], lines[150_001]]).toEqual(['number  name', '     0  a', '150000  wider'])
})
