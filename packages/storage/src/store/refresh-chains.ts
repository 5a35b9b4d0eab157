import type * as z from 'zod'
import type { FigureChange, MetadataStore } from '../maintenance/metadata-store.ts'
import { type ChainFigures, digestOfRows, type FigureForm, type FigureRow, figuresFrom, formsOf, isUpToDate } from './chain-figures.ts'
import { blankTwins, regainTwins, type TwinColumns } from './twin-figures.ts'

/** The figures of a chain when it had certain predictions. */
export interface KnownFigures {
  readonly form: FigureForm
  readonly before: ChainFigures
  /** `digestOfRows` of those predictions. */
  readonly rows: string
  /** Its figures of the refit's twin that need predictions which went. */
  readonly lost?: z.infer<typeof TwinColumns> | undefined
}

/** A chain with its figures and its predictions. */
export interface ChainState {
  readonly chain_id: string
  readonly figures: ChainFigures
  readonly rows: readonly FigureRow[]
}

/** A chain before predictions come or go. */
export interface TouchedChain {
  /** The forms that its figures may have. */
  readonly forms: readonly FigureForm[]
  /** Its figures of the refit's twin that are of predictions which go, as nulls. */
  readonly lost?: ChainFigures | undefined
}

/** What `refreshChains` needs to know of chains that get predictions: to be asked before these come. */
export const findForms = async (metadata: MetadataStore, chains: readonly string[]): Promise<ReadonlyMap<string, TouchedChain>> => {
  const touched = new Map<string, TouchedChain>()
  for await (const { chain_id, figures, rows } of chainStates(metadata, chains)) touched.set(chain_id, { forms: formsOf(figures, rows) })
  return touched
}

/**
 * Brings the figures of chains up to date whose predictions have come or gone, in the transaction under way: those that are known for just
 * the predictions that are there, else worked out anew in the form that they had. Chains for which nobody has worked them out stay so.
 */
export const refreshChains = async (
  metadata: MetadataStore,
  chains: readonly string[],
  touched: ReadonlyMap<string, TouchedChain>,
  known: ReadonlyMap<string, KnownFigures> = new Map(),
): Promise<void> => {
  const changes: FigureChange[] = []
  for await (const state of chainStates(metadata, chains)) {
    const after = figuresNow(state, touched.get(state.chain_id) ?? { forms: [] }, known.get(state.chain_id))
    if (after !== null) changes.push({ chain_id: state.chain_id, before: state.figures, after })
  }
  await metadata.writeFigures(changes)
}

/** The chains that are there, some at a time. */
export async function* chainStates(metadata: MetadataStore, chains: readonly string[]): AsyncGenerator<ChainState> {
  for (let start = 0; start < chains.length; start += chainsAtOnce) {
    const batch = chains.slice(start, start + chainsAtOnce)
    const found = await metadata.figuresOf(batch)
    if (found.size === 0) continue
    const rows = Map.groupBy(await metadata.figureRowsOf([...found.keys()]), ({ chain_id }) => chain_id)
    for (const [chain_id, figures] of found) yield { chain_id, figures, rows: rows.get(chain_id) ?? [] }
  }
}

/** Texts of scores have a kilobyte or two per prediction. */
const chainsAtOnce = 2000

/** Null: they are right as they are. */
const figuresNow = (
  { figures, rows }: ChainState,
  { forms, lost = {} }: TouchedChain,
  known: KnownFigures | undefined,
): ChainFigures | null => {
  if (known !== undefined && digestOfRows(rows) === known.rows) return { ...figures, ...known.before }
  const twins = known === undefined ? lost : { ...lost, ...regainTwins(figures, known.before, rows), ...blankTwins(figures, known, rows) }
  const withTwins = Object.keys(twins).length === 0 ? null : { ...figures, ...twins }
  if (isUpToDate(figures, rows)) return withTwins
  const form = known !== undefined && (forms.length === 0 || forms.includes(known.form)) ? known.form : (forms[0] ?? 'library')
  return form === 'none' ? withTwins : { ...figures, ...twins, ...figuresFrom(rows, form) }
}
