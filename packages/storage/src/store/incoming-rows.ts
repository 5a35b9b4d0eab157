import * as z from 'zod'
import { appendColumns, type ColumnValues } from '../engine/append-columns.ts'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { jsonOrNull } from './json-text.ts'
import type { BufferedPrediction } from './prediction-input.ts'
import { absent } from './refuse-absent.ts'
import { describedPrediction } from './refuse-dataset.ts'
import { seen, written } from './store-session.ts'

type Row = BufferedPrediction['row']
type Kind = 'varchar' | 'integer' | 'double'

/** The columns of `predictions` that a caller gives, in the order of the temporary table, with what they are without a value. */
const columns: readonly (readonly [name: keyof Row, kind: Kind, otherwise: string | number | null])[] = [
  ['pipeline_id', 'varchar', null],
  ['chain_id', 'varchar', null],
  ['dataset_name', 'varchar', null],
  ['model_name', 'varchar', null],
  ['model_class', 'varchar', null],
  ['fold_id', 'varchar', null],
  ['partition', 'varchar', null],
  ['val_score', 'double', null],
  ['test_score', 'double', null],
  ['train_score', 'double', null],
  ['metric', 'varchar', null],
  ['task_type', 'varchar', null],
  ['n_samples', 'integer', null],
  ['n_features', 'integer', null],
  ['scores', 'varchar', null],
  ['best_params', 'varchar', null],
  ['preprocessings', 'varchar', ''],
  ['branch_id', 'integer', null],
  ['branch_name', 'varchar', null],
  ['exclusion_count', 'integer', 0],
  ['exclusion_rate', 'double', 0],
  ['refit_context', 'varchar', null],
]

const names = columns.map(([name]) => name).join(', ')

/** Puts predictions where SQL can join them: `temp.main.incoming`, numbered by their place. */
export const loadIncoming = async (engine: Engine, rows: readonly BufferedPrediction[]): Promise<void> => {
  await engine.run(
    `CREATE OR REPLACE TEMP TABLE incoming (place INTEGER, prediction_id VARCHAR, ${columns.map(([name, kind]) => `${name} ${kind}`).join(', ')})`,
  )
  const place: ColumnValues = { type: 'integer', values: rows.map((_, index) => index) }
  const ids: ColumnValues = { type: 'varchar', values: rows.map(({ id }) => id) }
  await appendColumns(engine, { alias: 'temp', table: 'incoming' }, [place, ids, ...columns.map((column) => valuesOf(column, rows))])
}

const valuesOf = ([name, kind, otherwise]: (typeof columns)[number], rows: readonly BufferedPrediction[]): ColumnValues => {
  const values = rows.map(({ row }) => row[name] ?? otherwise)
  if (kind === 'varchar')
    return { type: kind, values: values.map((value) => (typeof value === 'object' ? jsonOrNull(value) : String(value))) }
  return { type: kind, values: values.map((value) => (typeof value === 'number' ? value : null)) }
}

const sameKey = ['pipeline_id', 'chain_id', 'fold_id', 'partition', 'model_name', 'branch_id']
  .map((column) => `p.${column} IS NOT DISTINCT FROM i.${column}`)
  .join(' AND ')

const Match = z.object({
  place: z.number(),
  id: z.string(),
  dataset: z.string(),
  /** Whether what is measured is the same but for its scores: with the same ones its arrays are those of what comes. */
  is_same: z.boolean(),
  scores: z.string().nullable(),
  n_samples: z.number().nullable(),
  created_at: z.string().nullable(),
})
export type Match = z.infer<typeof Match>

const sameResult = ['metric', 'val_score', 'test_score', 'train_score']
  .map((column) => `p.${column} IS NOT DISTINCT FROM i.${column}`)
  .join(' AND ')

/** The predictions of the store that have the natural key of one that comes; of several (NULL branches do not collide) the newest. */
export const matchIncoming = (engine: Engine): Promise<Match[]> =>
  engine.rows(
    Match,
    `SELECT i.place, p.prediction_id AS id, p.dataset_name AS dataset, p.n_samples, p.scores::VARCHAR AS scores, p.created_at::VARCHAR AS created_at,
       ${sameResult} AND coalesce(p.n_samples = i.n_samples, true) AS is_same FROM temp.main.incoming i JOIN ${seen('predictions')} p
       ON p.pipeline_id = i.pipeline_id AND ${sameKey}
     QUALIFY row_number() OVER (PARTITION BY i.place ORDER BY p.created_at DESC, p.prediction_id DESC) = 1 ORDER BY i.place`,
  )

/**
 * Throws when a pipeline or chain is not there, a chain belongs to another pipeline, or an id to another prediction, and says which of the
 * rows it is. Nothing has been written before.
 */
export const refuseUnfit = async (engine: Engine, rows: readonly BufferedPrediction[], matches: readonly Match[]): Promise<void> => {
  const first = async (sql: string) => (await engine.rows(Unfit, `${sql} LIMIT 1`))[0]
  const pipeline = await first(
    `SELECT pipeline_id AS id, place FROM temp.main.incoming WHERE pipeline_id NOT IN (SELECT pipeline_id FROM ${seen('pipelines')}) ORDER BY place`,
  )
  if (pipeline !== undefined) throw absent('pipelines', pipeline.id, namedBy(rows, pipeline.place))
  const chain = await first(
    `SELECT chain_id AS id, place FROM temp.main.incoming WHERE chain_id NOT IN (SELECT chain_id FROM ${seen('chains')}) ORDER BY place`,
  )
  if (chain !== undefined) throw absent('chains', chain.id, namedBy(rows, chain.place))
  await refuseForeignChain(engine, rows)
  const matched = matches.map(({ place }) => place).join(', ')
  const taken = await first(
    `SELECT prediction_id AS id, place FROM temp.main.incoming WHERE ${matched === '' ? 'true' : `place NOT IN (${matched})`}
       AND prediction_id IN (SELECT prediction_id FROM ${seen('predictions')})
     UNION ALL SELECT prediction_id, max(place) FROM temp.main.incoming GROUP BY 1 HAVING count(*) > 1`,
  )
  if (taken === undefined) return
  const { by, hint } = namedBy(rows, taken.place, 'Give it an id of its own, or none: then one is made')
  throw new StorageError('validation', `The id ${taken.id.slice(0, 200)} belongs to another prediction than ${by}. Nothing was changed.`, {
    ids: [taken.id],
    hint,
  })
}

const Unfit = z.object({ id: z.string(), place: z.number() })

/** Which of the rows it is, and that the others wait for it. */
const namedBy = (rows: readonly BufferedPrediction[], place: number, todo = 'Save what it names first') => {
  const row = rows[place]
  const which = rows.length === 1 ? 'the prediction' : `one of the ${rows.length} predictions to be saved`
  return {
    by: row === undefined ? which : `${which} (${describedPrediction(row)})`,
    hint: rows.length === 1 ? `${todo}.` : `${todo}. None of them was saved; what was buffered stays in the buffer.`,
  }
}

const ForeignChain = z.object({ chain: z.string(), owner: z.string(), pipeline: z.string(), place: z.number() })

const refuseForeignChain = async (engine: Engine, rows: readonly BufferedPrediction[]): Promise<void> => {
  const [foreign] = await engine.rows(
    ForeignChain,
    `SELECT i.chain_id AS chain, c.pipeline_id AS owner, i.pipeline_id AS pipeline, place FROM temp.main.incoming i JOIN ${seen('chains')} c USING (chain_id)
     WHERE c.pipeline_id <> i.pipeline_id ORDER BY place LIMIT 1`,
  )
  if (foreign === undefined) return
  const [chain, owner, pipeline] = [foreign.chain, foreign.owner, foreign.pipeline].map((id) => id.slice(0, 200))
  const { by, hint } = namedBy(rows, foreign.place, 'Save the prediction for the pipeline of its chain, or save a chain for its pipeline')
  throw new StorageError(
    'validation',
    `The chain ${chain} belongs to the pipeline ${owner}, and a prediction of the pipeline ${pipeline} names it: ${by}. Nothing was changed.`,
    { ids: [foreign.chain], hint },
  )
}

/** What is decided of a row that comes: the id and the number of samples that it is saved with. */
export interface Placed {
  readonly id: string
  readonly n_samples: number | null
}

/** The rows that come take the place of those that they replace. Inside a transaction. */
export const replaceRows = async (
  engine: Engine,
  placed: readonly Placed[],
  replaced: readonly string[],
  createdAt: string,
): Promise<void> => {
  await engine.run('CREATE OR REPLACE TEMP TABLE incoming_ids (place INTEGER, id VARCHAR, n_samples INTEGER)')
  await appendColumns(engine, { alias: 'temp', table: 'incoming_ids' }, [
    { type: 'integer', values: placed.map((_, index) => index) },
    { type: 'varchar', values: placed.map(({ id }) => id) },
    { type: 'integer', values: placed.map(({ n_samples }) => n_samples) },
  ])
  await engine.run('CREATE OR REPLACE TEMP TABLE replaced_ids (id VARCHAR)')
  await appendColumns(engine, { alias: 'temp', table: 'replaced_ids' }, [{ type: 'varchar', values: replaced }])
  if (replaced.length > 0) {
    await engine.run(`DELETE FROM ${written('predictions')} WHERE prediction_id IN (SELECT id FROM temp.main.replaced_ids)`)
  }
  await engine.run(
    `INSERT INTO ${written('predictions')} (prediction_id, ${names}, created_at)
     SELECT n.id, ${columns.map(([name]) => `${name === 'n_samples' ? 'n' : 'i'}.${name}`).join(', ')}, $now::TIMESTAMP
     FROM temp.main.incoming i JOIN temp.main.incoming_ids n USING (place) ORDER BY place`,
    { now: createdAt },
  )
}
