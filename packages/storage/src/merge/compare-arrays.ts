import * as z from 'zod'
import { type ArrayReader, withArrayReader } from '../arrays/array-reader.ts'
import { hashArrays } from '../arrays/dataset-hash.ts'
import { appendColumns } from '../engine/append-columns.ts'
import type { Engine } from '../engine/open-engine.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { findIds, otherId } from './match-predictions.ts'
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
  await engine.run(`CREATE TABLE ${suspects} AS SELECT m.id, m.digest, m.action, m.array_source, w.origin, w.id AS there_id, w.array_source AS there_source
    FROM ${ofSource(source.index, 'matched')} m LEFT JOIN memory.main.present p ON p.id = m.same_id AND p.state = 'alive'
    LEFT JOIN (${whereArraysLie(source.index, around)}) w ON w.new_id = p.id AND w.origin = p.arrays_from
    WHERE m.has_arrays AND m.array_source IS NOT NULL
      AND (w.array_source IS NOT NULL OR (m.action = 'insert' AND m.digest IN (SELECT digest FROM memory.main.present WHERE state = 'alive' AND arrays_from IS NOT NULL)))`)
  if ((await engine.rows(z.object({ id: z.string() }), `SELECT id FROM ${suspects} LIMIT 1`)).length === 0) return
  const hashed = ofSource(source.index, 'hashed')
  await engine.run(`CREATE TABLE ${hashed} (origin INTEGER, id VARCHAR, arrays VARCHAR)`)
  await withArrayReader({}, async (reader) => {
    const hash = (origin: number, place: ResolvedWorkspace | null | undefined, sql: string) =>
      place === null || place === undefined
        ? Promise.resolve()
        : hashRows(engine, reader, { source: source.index, origin, place, sql }, around.signal)
    await hash(source.index, source.resolved, `SELECT id, array_source AS place FROM ${suspects}`)
    const hashThere = async (rows: string) => {
      const origins = await engine.rows(z.object({ origin: z.number() }), `SELECT DISTINCT origin FROM ${rows} WHERE origin IS NOT NULL`)
      for (const { origin } of origins) {
        const place = origin === -1 ? around.target : around.sources.find(({ index }) => index === origin)?.resolved
        await hash(
          origin,
          place,
          `SELECT DISTINCT there_id AS id, there_source AS place FROM ${rows} WHERE origin = ${origin}
           AND there_id NOT IN (SELECT id FROM ${hashed} WHERE origin = ${origin})`,
        )
      }
    }
    await hashThere(suspects)
    await findCandidates(engine, source.index, around)
    await hashThere(ofSource(source.index, 'candidates'))
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

/** What each suspect may be that is not what it seemed: all rows with its scores under its own id and those made of it, without and with its arrays, or from which its id is made. */
const findCandidates = async (engine: Engine, source: number, around: Around): Promise<void> => {
  const [suspects, variants, found] = [ofSource(source, 'suspects'), ofSource(source, 'variants'), ofSource(source, 'found')]
  const hashed = ofSource(source, 'hashed')
  await engine.run(`CREATE TABLE ${variants} AS SELECT s.id, s.digest, o.arrays, s.digest || ':' || o.arrays AS content FROM ${suspects} s
    JOIN ${hashed} o ON o.origin = ${source} AND o.id = s.id LEFT JOIN ${hashed} t ON t.origin = s.origin AND t.id = s.there_id
    WHERE s.action = 'insert' OR o.arrays <> t.arrays`)
  const plain = findIds(`SELECT id, digest, digest AS content, id AS first, false AS is_bare FROM ${variants}`)
  const varied = findIds(`SELECT id, digest, content, ${otherId('id', 'content')} AS first, false AS is_bare FROM ${variants}`)
  await engine.run(
    `CREATE TABLE ${found} AS SELECT id, list_concat(p.there, v.there) AS there, v.free FROM (${plain}) p JOIN (${varied}) v USING (id)`,
  )
  await engine.run(`CREATE TABLE ${ofSource(source, 'candidates')} AS SELECT c.id, c.nth, c.there, w.origin, w.id AS there_id, w.array_source AS there_source
    FROM (SELECT id, unnest(there) AS there, generate_subscripts(there, 1) AS nth FROM ${found}) c JOIN memory.main.present p ON p.id = c.there
    LEFT JOIN (${whereArraysLie(source, around)}) w ON w.new_id = p.id AND w.origin = p.arrays_from AND w.array_source IS NOT NULL`)
}

/** The first candidate without other arrays is the same; where all have others, it is a variant. */
const tellApart = (engine: Engine, source: number): Promise<void> =>
  engine.run(`UPDATE ${ofSource(source, 'matched')} AS m SET action = CASE WHEN f.there IS NULL THEN 'insert' ELSE 'same' END, same_id = f.there,
      new_id = CASE WHEN m.action = 'insert' THEN m.new_id ELSE f.free END, variant = CASE WHEN m.action = 'insert' THEN NULL ELSE f.arrays END
    FROM (SELECT v.id, v.arrays, any_value(i.free) AS free, arg_min(c.there, c.nth) FILTER (t.arrays IS NULL OR t.arrays = v.arrays) AS there
      FROM ${ofSource(source, 'variants')} v JOIN ${ofSource(source, 'found')} i ON i.id = v.id JOIN ${ofSource(source, 'candidates')} c ON c.id = v.id
      LEFT JOIN ${ofSource(source, 'hashed')} t ON t.origin = c.origin AND t.id = c.there_id GROUP BY v.id, v.arrays) f
    WHERE f.id = m.id`)
