import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { withEngine } from './open-engine.ts'
import { CHUNK_ROWS, TableAppender } from './table-appender.ts'

const text = fc.option(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('', 'NULL', '{"rmse": NaN}', 'x'.repeat(300))))
const figure = fc.option(fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Number.NEGATIVE_INFINITY, 5e-324)))
const batches = fc.array(fc.array(fc.tuple(text, figure), { minLength: 1, maxLength: 12 }), { maxLength: 8 })

test('what one batch leaves in the chunk does not show in the next: nulls, texts and numbers come back as they went in', async () => {
  await withEngine({}, async (engine) => {
    await fc.assert(
      fc.asyncProperty(batches, async (given) => {
        await engine.run('CREATE OR REPLACE TABLE t (words VARCHAR, figure VARCHAR, value DOUBLE)')
        const appender = await TableAppender.open(engine, { alias: 'memory', table: 't' }, ['text', 'text', 'number'])
        for (const rows of given) {
          appender.append([
            rows.map(([words]) => words),
            rows.map(([, value]) => (value === null ? null : String(value))),
            rows.map(([, value]) => value),
          ])
        }
        appender.close()
        const Row = z.object({ words: z.string().nullable(), figure: z.string().nullable(), same: z.boolean() })
        const back = await engine.rows(Row, 'SELECT words, figure, figure::DOUBLE IS NOT DISTINCT FROM value AS same FROM t ORDER BY rowid')
        expect(back).toEqual(given.flat().map(([words, value]) => ({ words, figure: value === null ? null : String(value), same: true })))
      }),
      { numRuns: 40 },
    )
  })
})

test('more rows than it keeps back are all there in the end', async () => {
  await withEngine({}, async (engine) => {
    await engine.run('CREATE TABLE t (value DOUBLE)')
    const appender = await TableAppender.open(engine, { alias: 'memory', table: 't' }, ['number'])
    for (let batch = 0; batch < 40; batch += 1) appender.append([Array.from({ length: CHUNK_ROWS }, (_, row) => batch * CHUNK_ROWS + row)])
    appender.close()
    const Sum = z.object({ n: z.number(), total: z.number() })
    const rows = 40 * CHUNK_ROWS
    expect(await engine.one(Sum, 'SELECT count(*) AS n, sum(value) AS total FROM t')).toEqual({ n: rows, total: (rows * (rows - 1)) / 2 })
  })
})
