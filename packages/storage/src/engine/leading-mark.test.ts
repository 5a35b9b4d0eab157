import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { textsOf } from '../parquet/column-block.ts'
import { appendColumns } from './append-columns.ts'
import { streamJsonRows } from './json-rows.ts'
import { type Engine, withEngine } from './open-engine.ts'
import { readBlocks } from './read-blocks.ts'
import { streamChunks } from './stream-chunks.ts'
import { TableAppender } from './table-appender.ts'

const mark = '\ufeff'
/** Short ones lie in the vector, long ones (more than 12 bytes) behind a pointer. */
const texts = [mark, `${mark}x`, 'x', `${mark}${mark}x`, `x${mark}`, `${mark}${'long '.repeat(5)}`, '']

const Text = z.object({ text: z.string() })

const filled = async (engine: Engine): Promise<void> => {
  await engine.run('CREATE TABLE memory.main.named(text VARCHAR)')
  await appendColumns(engine, { alias: 'memory', table: 'named' }, [{ type: 'varchar', values: texts }])
}

describe('a text that begins with U+FEFF keeps it', () => {
  it('in rows, as parameter, in JSON, lists, structs and names of columns', () =>
    withEngine({}, async (engine) => {
      for (const text of texts) {
        expect(await engine.one(Text, 'SELECT $text AS text', { text })).toEqual({ text })
        expect(await engine.one(z.object({ length: z.number() }), 'SELECT strlen($text) AS length', { text })).toEqual({
          length: Buffer.byteLength(text),
        })
        const nested = await engine.one(
          z.object({ list: z.array(z.string()), struct: z.object({ a: z.string() }), json: z.string() }),
          'SELECT [$text] AS list, {a: $text} AS struct, to_json($text) AS json',
          { text },
        )
        expect(nested).toEqual({ list: [text], struct: { a: text }, json: JSON.stringify(text) })
      }
      expect(await engine.rows(z.record(z.string(), z.string()), `SELECT 'y' AS "${mark}x"`)).toEqual([{ [`${mark}x`]: 'y' }])
    }))

  it('in chunks, in blocks and in JSON rows', () =>
    withEngine({}, async (engine) => {
      await filled(engine)
      const sql = 'SELECT text FROM memory.main.named'
      const found: Record<'streamed' | 'blocks' | 'json', (string | null)[]> = { streamed: [], blocks: [], json: [] }
      for await (const chunk of streamChunks(engine, sql)) found.streamed.push(...chunk.texts(0))
      for await (const block of readBlocks(engine, sql)) found.blocks.push(...block.flatMap(textsOf))
      for await (const rows of (await streamJsonRows(engine, sql)).chunks) found.json.push(...rows.map(([text]) => String(text)))
      expect(found).toEqual({ streamed: texts, blocks: texts, json: texts })
    }))

  it('when rows are appended in batches', () =>
    withEngine({}, async (engine) => {
      await engine.run('CREATE TABLE memory.main.named(text VARCHAR)')
      const appender = await TableAppender.open(engine, { alias: 'memory', table: 'named' }, ['text'])
      appender.append([texts])
      appender.close()
      expect((await engine.rows(Text, 'SELECT text FROM memory.main.named')).map(({ text }) => text)).toEqual(texts)
    }))
})
