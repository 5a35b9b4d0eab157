import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { textsOf } from '../parquet/column-block.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { appendColumns } from './append-columns.ts'
import { attachUnlogged } from './attach-store.ts'
import { type Engine, withEngine } from './open-engine.ts'
import { readBlocks } from './read-blocks.ts'

const fetched = vi.hoisted(() => ({ calls: 0 }))

/** Counts what is fetched; the client itself does not go through this. */
vi.mock('@duckdb/node-bindings', async (original) => {
  const { default: bindings } = await original<{ default: typeof import('@duckdb/node-bindings') }>()
  const get_data_from_pointer: typeof bindings.get_data_from_pointer = (...place) => {
    fetched.calls += 1
    return bindings.get_data_from_pointer(...place)
  }
  return { default: { get_data_from_pointer } }
})

const read = async (engine: Engine, sql: string): Promise<(string | null)[]> => {
  const texts: (string | null)[] = []
  for await (const block of readBlocks(engine, sql)) for (const column of block) texts.push(...textsOf(column))
  return texts
}

/** Of up to twelve bytes, longer, of several bytes each, and the same ones again: DuckDB keeps each of them another way. */
const text = fc.oneof(
  fc.constantFrom('', 'val', 'PLSRegression', '\ufeffwith a mark in front', 'a null \0 among many others', 'é'.repeat(7)),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ maxLength: 14 }),
)
const texts = fc.array(fc.option(text), { minLength: 1, maxLength: 3000, size: 'max' })

describe('texts of a vector, fetched together where they lie side by side', () => {
  it('are those that were put in: filtered, sorted, made on the way, of a file', { timeout: 60_000 }, () =>
    withEngine({}, async (engine) => {
      await using folder = await temporaryFolder()
      let made = 0
      await fc.assert(
        fc.asyncProperty(texts, async (values) => {
          const alias = `file${made++}`
          await attachUnlogged(engine, join(folder.path, `${alias}.duckdb`), alias, 16_384)
          await engine.run(`CREATE TABLE ${alias}.named(text VARCHAR)`)
          await appendColumns(engine, { alias, table: 'named' }, [{ type: 'varchar', values }])
          const table = `${alias}.main.named`
          expect(await read(engine, `SELECT text FROM ${table}`)).toEqual(values)
          await engine.run(`CHECKPOINT ${alias}`)
          expect(await read(engine, `SELECT text FROM ${table}`)).toEqual(values)
          expect(await read(engine, `SELECT text FROM ${table} WHERE rowid % 3 = 1`)).toEqual(values.filter((_, row) => row % 3 === 1))
          expect(await read(engine, `SELECT text FROM ${table} ORDER BY rowid DESC`)).toEqual(values.toReversed())
          expect(await read(engine, `SELECT text || ' and more than that' FROM ${table}`)).toEqual(
            values.map((value) => (value === null ? null : `${value} and more than that`)),
          )
          const [first = null] = values
          expect(await read(engine, `SELECT (SELECT text FROM ${table} WHERE rowid = 0) FROM ${table}`)).toEqual(values.map(() => first))
          await engine.run(`DETACH ${alias}`)
        }),
        { numRuns: 25 },
      )
    }),
  )

  it('are fetched in few calls, not in one for each row', () =>
    withEngine({}, async (engine) => {
      const sql = 'SELECT md5(range::VARCHAR) FROM range(2048)'
      const expected = (await engine.connection.runAndReadAll(sql)).getColumns()[0]
      fetched.calls = 0
      expect(await read(engine, sql)).toEqual(expected)
      expect(fetched.calls).toBeGreaterThan(0)
      expect(fetched.calls).toBeLessThan(100)
    }))
})
