import * as z from 'zod'
import { appendColumns } from '../engine/append-columns.ts'
import { idsOf, type OpenWorkspace, storeAlias } from '../maintenance/maintenance-workspace.ts'
import type { FigureChange, MetadataStore, SavedRows } from '../maintenance/metadata-store.ts'
import type { Selection } from '../maintenance/selection.ts'
import { ChainFigures, digestOfRows, figureForms, figuresFrom, formsOf } from '../store/chain-figures.ts'
import { chainStates } from '../store/refresh-chains.ts'
import { loseTwins, TwinColumns } from '../store/twin-figures.ts'
import { readJson } from './trash-manifest.ts'
import type { TrashPlaces } from './trash-places.ts'

/** The figures of a chain that loses predictions: as they were, with which predictions, and as the removal leaves them. */
const KeptFigures = z.object({
  chain_id: z.string(),
  form: z.enum(figureForms),
  before: ChainFigures,
  rows: z.string(),
  /** Figures of the refit's twin that the predictions take with them, those of a chain that goes too; absent in trashes of before. */
  lost: TwinColumns.optional(),
  /** Null: the chain goes as well, or nobody has worked out figures for it. */
  after: ChainFigures.nullable(),
})
export type KeptFigures = z.infer<typeof KeptFigures>

/** What is to be kept of all chains that lose predictions. */
export const keepFigures = async (open: OpenWorkspace, { tables }: Selection): Promise<KeptFigures[]> => {
  const keysOf = (name: string) => tables.find(({ table }) => table === name)?.keys ?? []
  const predictions = new Set(keysOf('predictions'))
  if (predictions.size === 0) return []
  return describeLoss(open.metadata, await chainsThatLose(open, [...predictions]), predictions, new Set(keysOf('chains')))
}

/** The same of chains that lose some of these predictions; those in `gone` go as well. */
export const describeLoss = async (
  metadata: MetadataStore,
  chains: readonly string[],
  predictions: ReadonlySet<string>,
  gone: ReadonlySet<string> = new Set(),
): Promise<KeptFigures[]> => {
  const kept: KeptFigures[] = []
  for await (const { chain_id, figures, rows } of chainStates(metadata, chains)) {
    const form = formsOf(figures, rows)[0] ?? 'library'
    const goes = ({ prediction_id }: { readonly prediction_id: string }) => predictions.has(prediction_id)
    const left = rows.filter((row) => !goes(row))
    const lost = loseTwins(figures, rows, goes)
    const changed = { ...lost, ...(form === 'none' ? {} : figuresFrom(left, form)) }
    const stays = gone.has(chain_id) || Object.keys(changed).length === 0
    kept.push({
      chain_id,
      form,
      before: figures,
      rows: digestOfRows(rows),
      lost: TwinColumns.parse(Object.keys(lost)),
      after: stays ? null : { ...figures, ...changed },
    })
  }
  return kept
}

const chainsThatLose = async (open: OpenWorkspace, predictions: readonly string[]): Promise<string[]> => {
  if (open.metadata.shapes.get('predictions')?.columns.includes('chain_id') !== true) return []
  await open.engine.run('CREATE OR REPLACE TEMP TABLE losing (id VARCHAR)')
  await appendColumns(open.engine, { alias: 'temp', table: 'losing' }, [{ type: 'varchar', values: predictions }])
  return idsOf(
    open,
    `SELECT DISTINCT chain_id AS id FROM ${storeAlias}.main.predictions
     WHERE chain_id IS NOT NULL AND prediction_id IN (SELECT id FROM losing) ORDER BY 1`,
  )
}

/** Throws `trash_damaged`. Empty in a trash of which no chain lost predictions. */
export const readKeptFigures = async ({ figures }: TrashPlaces): Promise<KeptFigures[]> =>
  (await readJson(figures, z.array(KeptFigures))) ?? []

/** What a removal changes in the chains that stay. */
export const changesOf = (kept: readonly KeptFigures[]): FigureChange[] =>
  kept.flatMap(({ chain_id, before, after }) => (after === null ? [] : [{ chain_id, before, after }]))

/** The chains to which saved rows belong, and those among these rows. */
export const chainsOfRows = async (metadata: MetadataStore, rows: readonly SavedRows[]): Promise<string[]> => {
  const chains = new Set(rows.find(({ table }) => table === 'chains')?.keys ?? [])
  for (const { table, keys, path } of rows) {
    if (table !== 'predictions') continue
    const chosen = new Set(keys)
    for (const links of await metadata.readLinks(table, path)) {
      const chain = links.get('chain_id') ?? null
      if (chain !== null && chosen.has(links.get('prediction_id') ?? '')) chains.add(chain)
    }
  }
  return [...chains].sort()
}
