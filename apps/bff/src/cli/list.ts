import { type Catalog, listDatasets, listPredictions, listRuns } from '@nirs-workspace/storage'
import { Argument, type Command } from 'commander'
import { collect } from './collect-values.ts'
import { exitCodes } from './exit-codes.ts'
import { listChains } from './list-chains.ts'
import { type OutputOptions, printResult, runVerb, UsageError } from './output.ts'
import { parseCount, parseFilters, parseSorts } from './parse-filters.ts'
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
    .addArgument(new Argument('<what>').choices(['predictions', 'runs', 'chains', 'datasets']))
    .option(
      '--filter <column=value>',
      'keep rows with this value; repeatable; of predictions also column_min=, column_max= and q=, of runs q=',
      collect,
      [],
    )
    .option('--sort <column:direction>', 'of predictions; repeatable', collect, [])
    .option('--limit <n>', 'rows at most', '100')
    .option('--offset <n>', 'rows to skip', '0')
    .option('--json', 'print one JSON document')
    .action((path: string, what: string, options: Options) =>
      runVerb(options, async () => {
        const listing = await withLatestCatalog(path, (catalog) => lists(what)(catalog, options))
        printResult(options, listing, describe(what))
        return exitCodes.done
      }),
    )
}

const lists = (what: string): ((catalog: Catalog, options: Options) => Promise<Listing>) => {
  if (what === 'predictions') return predictions
  if (what === 'runs') return runs
  return what === 'chains' ? chains : datasets
}

/** In pages of 1 000, as many as asked for. */
const predictions = async (catalog: Catalog, options: Options): Promise<Listing> => {
  const [limit, first] = [parseCount(options.limit, '--limit', 1, largest), parseCount(options.offset, '--offset', 0, largest)]
  const query = { filter: parseFilters(options.filter), sort: parseSorts(options.sort) }
  const rows: object[] = []
  let total = 0
  do {
    const page = await listPredictions(catalog, { ...query, limit: Math.min(1000, limit - rows.length), offset: first + rows.length })
    total = page.total
    rows.push(...page.rows)
    if (page.rows.length === 0) break
  } while (rows.length < limit)
  return { rows, total }
}

const runs = async (catalog: Catalog, options: Options): Promise<Listing> => {
  const values = pairs(options, ['status', 'q'])
  const { rows, total } = await listRuns(catalog, {
    status: values.filter(([name]) => name === 'status').map(([, value]) => value),
    q: values
      .filter(([name]) => name === 'q')
      .map(([, value]) => value)
      .join(' '),
    limit: Math.min(1000, parseCount(options.limit, '--limit', 1, largest)),
    offset: parseCount(options.offset, '--offset', 0, largest),
  })
  return { rows, total }
}

const chains = async (catalog: Catalog, options: Options): Promise<Listing> =>
  cut(await listChains(catalog, pairs(options, ['dataset_name', 'model_name', 'model_class', 'metric', 'pipeline_id', 'run_id'])), options)

const datasets = async (catalog: Catalog, options: Options): Promise<Listing> => {
  const names = pairs(options, ['name', 'dataset_name']).map(([, value]) => value)
  const all = await listDatasets(catalog)
  return cut(
    all.filter(({ name }) => names.length === 0 || names.includes(name)),
    options,
  )
}

const cut = (rows: readonly object[], options: Options): Listing => {
  const offset = parseCount(options.offset, '--offset', 0, largest)
  return { rows: rows.slice(offset, offset + parseCount(options.limit, '--limit', 1, largest)), total: rows.length }
}

/** `column=value` filters on a list that has only these columns to filter by. */
const pairs = (options: Options, columns: readonly string[]): [string, string][] => {
  if (options.sort.length > 0) throw new UsageError('Only predictions can be sorted.')
  return options.filter.map((text) => {
    const at = text.indexOf('=')
    const name = text.slice(0, at)
    if (at <= 0 || !columns.includes(name))
      throw new UsageError(`A filter here is one of ${columns.map((column) => `${column}=…`).join(', ')}, not "${text}".`)
    return [name, text.slice(at + 1)]
  })
}

const columnsOf: Record<string, readonly string[]> = {
  predictions: ['prediction_id', 'dataset_name', 'model_name', 'fold_id', 'partition', 'metric', 'val_score', 'test_score', 'train_score'],
  runs: ['run_id', 'name', 'status', 'created_at', 'n_pipelines', 'n_predictions'],
  chains: ['chain_id', 'dataset_name', 'model_name', 'preprocessings', 'predictions'],
  datasets: ['name', 'predictions', 'arrays'],
}

const describe =
  (what: string) =>
  ({ rows, total }: Listing): string => {
    const columns = columnsOf[what] ?? []
    const cells = rows.map((row) => columns.map((column) => toCell(Reflect.get(row, column))))
    return `${formatTable(columns, cells)}${rows.length < total ? `\n${rows.length} of ${total}` : ''}`
  }

const toCell = (value: unknown): string | number | boolean | null =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
