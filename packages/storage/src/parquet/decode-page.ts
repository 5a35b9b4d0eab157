import type { ColumnBlock } from './column-block.ts'
import { type ColumnForm, isList } from './column-form.ts'
import { readLevels } from './read-levels.ts'

/** The inverse of encode-page.ts: a data page (format V1, PLAIN) as a column. Throws on anything that does not add up. */
export const decodePage = (form: ColumnForm, page: Buffer, values: number, rows: number): ColumnBlock => {
  if (isList(form)) return listColumn(form, page, values, rows)
  if (values !== rows) throw new Error(`${values} values for ${rows} rows`)
  const { levels, next } = readLevels(page, 0, 1, rows)
  const valid = expand(levels, rows)
  const rest = page.subarray(next)
  return form.type === 'VARCHAR' ? textColumn(form.name, valid, rest) : numberColumn(form, valid, rest)
}

const widthOf = (form: ColumnForm): 4 | 8 => (form.type.startsWith('DOUBLE') ? 8 : 4)

const numberColumn = (form: ColumnForm, valid: Uint8Array, rest: Buffer): ColumnBlock => {
  const width = widthOf(form)
  return { name: form.name, width, rows: valid.length, valid, lengths: null, values: spread(rest, valid, width), nulls: null }
}

const textColumn = (name: string, valid: Uint8Array, rest: Buffer): ColumnBlock => {
  const rows = valid.length
  const lengths = new Uint32Array(rows)
  const values = Buffer.allocUnsafe(rest.length)
  let from = 0
  let to = 0
  for (let row = 0; row < rows; row++) {
    if (valid[row] !== 1) continue
    const length = from + 4 <= rest.length ? rest.readUInt32LE(from) : rest.length
    if (from + 4 + length > rest.length) throw new Error('a text is longer than its page')
    lengths[row] = length
    rest.copy(values, to, from + 4, from + 4 + length)
    from += 4 + length
    to += length
  }
  if (from !== rest.length) throw new Error('bytes are left over behind the texts')
  return { name, width: 1, rows, valid, lengths, values: values.subarray(0, to), nulls: null }
}

const listColumn = (form: ColumnForm, page: Buffer, values: number, rows: number): ColumnBlock => {
  const repetition = readLevels(page, 0, 1, values)
  const definition = readLevels(page, repetition.next, 2, values)
  const slots = slotsOf(repetition.levels, rows)
  const rest = page.subarray(definition.next)
  const width = widthOf(form)
  const [only] = definition.levels
  if (definition.levels.length === 1 && only?.level === 3) {
    if (rest.length !== values * width) throw new Error('values are missing or left over')
    return { name: form.name, width, rows, valid: new Uint8Array(rows).fill(1), lengths: slots, values: rest, nulls: null }
  }
  return sparseLists(form.name, width, slots, expand(definition.levels, values), rest)
}

interface Run {
  readonly level: number
  readonly count: number
}

/** How many levels every row has: 0 starts a row, 1 goes on with it. */
const slotsOf = (runs: readonly Run[], rows: number): Uint32Array => {
  const slots = new Uint32Array(rows)
  let row = -1
  for (const { level, count } of runs) {
    if (level === 0) {
      if (row + count >= rows) throw new Error('more rows than the footer says')
      slots.fill(1, row + 1, row + 1 + count)
      row += count
    } else if (row < 0) throw new Error('the first row does not begin')
    else slots[row] = (slots[row] ?? 0) + count
  }
  if (row + 1 !== rows) throw new Error('fewer rows than the footer says')
  return slots
}

/** Lists of which some are null or empty, or have null elements. Definition levels: 0 null, 1 empty, 2 null element, 3 element. */
const sparseLists = (name: string, width: 4 | 8, slots: Uint32Array, definition: Uint8Array, rest: Buffer): ColumnBlock => {
  const rows = slots.length
  const valid = new Uint8Array(rows)
  const lengths = new Uint32Array(rows)
  const present = new Uint8Array(definition.length)
  let slot = 0
  let elements = 0
  for (let row = 0; row < rows; row++) {
    const end = slot + (slots[row] ?? 0)
    valid[row] = definition[slot] === 0 ? 0 : 1
    for (; slot < end; slot++) {
      const level = definition[slot] ?? 0
      if (level < 2) continue
      present[elements++] = level - 2
      lengths[row] = (lengths[row] ?? 0) + 1
    }
  }
  const marks = present.subarray(0, elements)
  const nulls = marks.includes(0) ? marks.map((one) => 1 - one) : null
  return { name, width, rows, valid, lengths, values: spread(rest, marks, width), nulls }
}

/** Puts packed values where the marks are 1, zero bytes elsewhere. */
const spread = (packed: Buffer, marks: Uint8Array, width: number): Uint8Array => {
  const count = marks.reduce((total, one) => total + one, 0)
  if (packed.length !== count * width) throw new Error('values are missing or left over')
  if (count === marks.length) return packed
  const values = new Uint8Array(marks.length * width)
  let from = 0
  marks.forEach((one, index) => {
    if (one === 0) return
    values.set(packed.subarray(from, from + width), index * width)
    from += width
  })
  return values
}

const expand = (runs: readonly Run[], count: number): Uint8Array => {
  const levels = new Uint8Array(count)
  let position = 0
  for (const run of runs) {
    levels.fill(run.level, position, position + run.count)
    position += run.count
  }
  return levels
}
