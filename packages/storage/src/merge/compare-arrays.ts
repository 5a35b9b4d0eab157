import * as z from 'zod'
import { type ArrayReader, withArrayReader } from '../arrays/array-reader.ts'
import { hashArrays } from '../arrays/dataset-hash.ts'
import { appendColumns } from '../engine/append-columns.ts'
import type { Engine } from '../engine/open-engine.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { newId } from './merge-sql.ts'
import type { MergeSource } from './open-merge.ts'
import { ofSource } from './source-views.ts'

interface Around {
  readonly target: ResolvedWorkspace | null
  readonly sources: readonly MergeSource[]
  readonly signal?: AbortSignal | undefined
}

/**
 * After `matchPredictions`: what seems to be there already is compared value by value where both sides have arrays. With other arrays it is
 * another prediction (`insert`, `variant` their digest) under an id made from them too, by which a further merge knows it again. Arrays of
 * nothing else are read. Throws what `ArrayReader.load` throws.
 */
export const compareArrays = async (engine: Engine, source: MergeSource, around: Around): Promise<void> => {
  const suspects = ofSource(source.index, 'suspects')
  await engine.run(`CREATE TABLE ${suspects} AS SELECT m.id, m.digest, m.array_source, w.origin, w.id AS there_id, w.array_source AS there_source
    FROM ${ofSource(source.index, 'matched')} m LEFT JOIN memory.main.present p ON p.id = m.same_id AND p.state = 'alive'
    LEFT JOIN (${whereArraysLie(source.index, around)}) w ON w.new_id = p.id AND w.origin = p.arrays_from
    WHERE m.has_arrays AND m.array_source IS NOT NULL
      AND (w.array_source IS NOT NULL OR (m.action = 'insert' AND m.digest IN (SELECT digest FROM memory.main.present WHERE state = 'alive' AND arrays_from IS NOT NULL)))`)
  const origins = await engine.rows(z.object({ origin: z.number().nullable() }), `SELECT DISTINCT origin FROM ${suspects}`)
  if (origins.length === 0) return
  await engine.run(`CREATE TABLE ${ofSource(source.index, 'hashed')} (origin INTEGER, id VARCHAR, arrays VARCHAR)`)
  await withArrayReader({}, async (reader) => {
    const hash = (origin: number, place: ResolvedWorkspace | null | undefined, sql: string) =>
      place === null || place === undefined
        ? Promise.resolve()
        : hashRows(engine, reader, { source: source.index, origin, place, sql }, around.signal)
    await hash(source.index, source.resolved, `SELECT id, array_source AS place FROM ${suspects}`)
    for (const { origin } of origins) {
      if (origin === null) continue
      const place = origin === -1 ? around.target : around.sources.find(({ index }) => index === origin)?.resolved
      await hash(origin, place, `SELECT DISTINCT there_id AS id, there_source AS place FROM ${suspects} WHERE origin = ${origin}`)
    }
  })
  await tellApart(engine, source.index)
}

/** Of all that was there before this source: the id under which its arrays lie and where. */
const whereArraysLie = (source: number, { sources }: Around): string =>
  [
    'SELECT -1 AS origin, prediction_id AS new_id, prediction_id AS id, array_source FROM target_catalog.main.predictions',
    ...sources
      .filter(({ index }) => index < source)
      .map(
        ({ index }) =>
          `SELECT ${index}, CASE WHEN fills THEN same_id ELSE new_id END, id, array_source FROM ${ofSource(index, 'matched')} WHERE action = 'insert' OR fills`,
      ),
  ].join(' UNION ALL ')

interface Side {
  readonly source: number
  readonly origin: number
  readonly place: ResolvedWorkspace
  readonly sql: string
}

const hashRows = async (
  engine: Engine,
  reader: ArrayReader,
  { source, origin, place, sql }: Side,
  signal: AbortSignal | undefined,
): Promise<void> => {
  const named = await engine.rows(z.object({ id: z.string(), place: z.string() }), sql)
  const refs = named.map((row) => ({ prediction_id: row.id, array_source: row.place }))
  for await (const rows of reader.load(place, refs, { signal })) {
    await appendColumns(engine, { alias: 'memory', table: `s${source}_hashed` }, [
      { type: 'integer', values: rows.map(() => origin) },
      { type: 'varchar', values: rows.map((row) => row.prediction_id) },
      { type: 'varchar', values: rows.map(hashArrays) },
    ])
  }
}

const tellApart = (engine: Engine, source: number): Promise<void> => {
  const [matched, suspects, hashed] = [ofSource(source, 'matched'), ofSource(source, 'suspects'), ofSource(source, 'hashed')]
  return engine.run(`UPDATE ${matched} AS m SET action = CASE WHEN f.there IS NULL THEN 'insert' ELSE 'same' END, same_id = f.there,
      new_id = f.variant_id, variant = f.arrays
    FROM (SELECT v.id, v.arrays, v.variant_id, v.differs, p.id AS there FROM (SELECT s.id, o.arrays, o.arrays <> t.arrays AS differs,
          ${newId('predictions', 's.id', `s.digest || ':' || o.arrays`)} AS variant_id
        FROM ${suspects} s JOIN ${hashed} o ON o.origin = ${source} AND o.id = s.id LEFT JOIN ${hashed} t ON t.origin = s.origin AND t.id = s.there_id) v
      LEFT JOIN memory.main.present p ON p.id = v.variant_id AND p.state = 'alive') f
    WHERE f.id = m.id AND (f.differs OR (m.action = 'insert' AND f.there IS NOT NULL))`)
}
