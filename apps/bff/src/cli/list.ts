import { type Catalog, listDatasets, listPredictions, listRuns } from '@nirs-workspace/storage'
import { Argument, type Command } from 'commander'
import { collect } from './collect-values.ts'
import { exitCodes } from './exit-codes.ts'
import { listChains } from './list-chains.ts'
import { type OutputOptions, printResult, runVerb, UsageError } from './output.ts'
import { parseCount, parseFilters, parseSorts } from './parse-filters.ts'
import { sortRows } from './sort-rows.ts'
import { formatTable } from './table.ts'
import { withLatestCatalog } from './with-catalog.ts'

interface Options extends OutputOptions {
  filter: string[]
  sort: string[]
  limit: string
  offset: string
}

interface Listing {
  rows: readonly object[]
  total: number
}

const largest = Number.MAX_SAFE_INTEGER

export const addList = (program: Command): void => {
  program
    .command('list')
    .description('predictions, runs, chains or datasets')
    .argument('<path>')
    .addArgument(new Argument('<what>').choices(Object.keys(columnsOf)))
    .option(
      '--filter <column=value>',
      'keep rows with this value; repeatable; of predictions also column_min=, column_max= and q=, of runs q=',
      collect,
      [],
    )
    .option('--sort <column:direction>', 'ascending or descending (asc, desc); repeatable', collect, [])
    .option('--limit <n>', 'rows at most', '100')
    .option('--offset <n>', 'rows to skip', '0')
    .option('--json', 'print one JSON document')
    .action((path: string, what: Listed, options: Options) =>
      runVerb(options, async () => {
        const listing = await withLatestCatalog(path, (catalog) => lists[what](catalog, options))
        printResult(options, listing, describe(what))
        return exitCodes.done
      }),
    )
}

/** What a table shows; the lists other than predictions are sorted by these. */
const columnsOf = {
  predictions: ['prediction_id', 'dataset_name', 'model_name', 'fold_id', 'partition', 'metric', 'val_score', 'test_score', 'train_score'],
  runs: ['run_id', 'name', 'status', 'created_at', 'n_pipelines', 'n_predictions'],
  chains: ['chain_id', 'dataset_name', 'model_name', 'preprocessings', 'metric', 'predictions'],
  datasets: ['name', 'predictions', 'arrays'],
} satisfies Record<string, readonly string[]>

type Listed = keyof typeof columnsOf

const predictions = async (catalog: Catalog, options: Options): Promise<Listing> => {
  const query = { filter: parseFilters(options.filter), sort: parseSorts(options.sort) }
  return readPages((page) => listPredictions(catalog, { ...query, ...page }), boundsOf(options))
}

const runs = async (catalog: Catalog, options: Options): Promise<Listing> => {
  const values = pairs(options, ['status', 'q'])
  const of = (column: string) => values.filter(([name]) => name === column).map(([, value]) => value)
  const query = { status: of('status'), q: of('q').join(' ') }
  const isSorted = options.sort.length > 0
  const all = await readPages((page) => listRuns(catalog, { ...query, ...page }), isSorted ? everything : boundsOf(options))
  return isSorted ? cut(all.rows, options, 'runs') : all
}

const chains = async (catalog: Catalog, options: Options): Promise<Listing> => {
  const filters = pairs(options, ['dataset_name', 'model_name', 'model_class', 'metric', 'pipeline_id', 'run_id'])
  return cut(await listChains(catalog, filters), options, 'chains')
}

const datasets = async (catalog: Catalog, options: Options): Promise<Listing> => {
  const names = pairs(options, ['name', 'dataset_name']).map(([, value]) => value)
  const all = await listDatasets(catalog)
  const chosen = all.filter(({ name }) => names.length === 0 || names.includes(name))
  return cut(chosen, options, 'datasets')
}

const lists: Record<Listed, (catalog: Catalog, options: Options) => Promise<Listing>> = { predictions, runs, chains, datasets }

interface Bounds {
  limit: number
  offset: number
}

const everything: Bounds = { limit: largest, offset: 0 }

const boundsOf = (options: Options): Bounds => ({
  limit: parseCount(options.limit, '--limit', 1, largest),
  offset: parseCount(options.offset, '--offset', 0, largest),
})

/** In pages of 1 000, as many as asked for. */
const readPages = async (read: (page: Bounds) => Promise<Listing>, { limit, offset }: Bounds): Promise<Listing> => {
  const rows: object[] = []
  for (;;) {
    const page = await read({ limit: Math.min(1000, limit - rows.length), offset: offset + rows.length })
    rows.push(...page.rows)
    if (page.rows.length === 0 || rows.length >= limit) return { rows, total: page.total }
  }
}

const cut = (rows: readonly object[], options: Options, what: Listed): Listing => {
  const { limit, offset } = boundsOf(options)
  return { rows: sortRows(rows, options.sort, columnsOf[what]).slice(offset, offset + limit), total: rows.length }
}

/** `column=value` filters on a list that has only these columns to filter by. */
const pairs = (options: Options, columns: readonly string[]): [string, string][] =>
  options.filter.map((text) => {
    const at = text.indexOf('=')
    const name = text.slice(0, at)
    if (at <= 0 || !columns.includes(name))
      throw new UsageError(`A filter here is one of ${columns.map((column) => `${column}=…`).join(', ')}, not "${text}".`)
    return [name, text.slice(at + 1)]
  })

const describe =
  (what: Listed) =>
  ({ rows, total }: Listing): string => {
    if (total === 0) return `There are no such ${what}.`
    const columns = columnsOf[what]
    const cells = rows.map((row) => columns.map((column) => toCell(Reflect.get(row, column))))
    return `${formatTable(columns, cells)}${rows.length < total ? `\n${rows.length} of ${total}` : ''}`
  }

const toCell = (value: unknown): string | number | boolean | null =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
