/** Consecutive equal levels. */
export interface LevelRun {
  readonly level: number
  readonly count: number
}

/**
 * Reads exactly `count` levels of at most `width` bits from a V1 data page at `start`: their length in bytes, then runs of one value
 * each. Bit-packed levels, which level-runs.ts never writes, are refused. `next` is the byte behind them.
 */
export const readLevels = (page: Buffer, start: number, width: number, count: number): { levels: LevelRun[]; next: number } => {
  if (start + 4 > page.length) throw new Error('a page ends in its levels')
  const next = start + 4 + page.readUInt32LE(start)
  if (next > page.length) throw new Error('levels are longer than their page')
  const levels: LevelRun[] = []
  let position = start + 4
  let found = 0
  while (position < next) {
    const header = readVarint(page, position, next)
    const level = page[header.next] ?? 0
    if (header.value % 2 !== 0 || header.next >= next || level >= 2 ** width) throw new Error('levels are not as they were written')
    levels.push({ level, count: header.value / 2 })
    found += header.value / 2
    position = header.next + 1
  }
  if (found !== count) throw new Error(`${found} levels instead of ${count}`)
  return { levels, next }
}

const readVarint = (page: Buffer, start: number, end: number): { value: number; next: number } => {
  let value = 0
  let factor = 1
  for (let position = start; position < end && factor < 2 ** 35; position++) {
    const byte = page[position] ?? 0
    value += (byte % 128) * factor
    if (byte < 128) return { value, next: position + 1 }
    factor *= 128
  }
  throw new Error('levels are not as they were written')
}
