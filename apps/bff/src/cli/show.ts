import { type Catalog, getPrediction, makeScatter, type ResolvedWorkspace, toWireArrays, withArrayReader } from '@nirs-workspace/storage'
import { PredictionArrays, type PredictionDetail } from '@nirs-workspace/types'
import type { Command } from 'commander'
import { findArrayRefs } from '../workspaces/find-array-refs.ts'
import { exitCodes } from './exit-codes.ts'
import { type OutputOptions, printResult, runVerb } from './output.ts'
import { formatTable } from './table.ts'
import { withCatalog } from './with-catalog.ts'

interface Options extends OutputOptions {
  arrays?: boolean
}

export const addShow = (program: Command): void => {
  program
    .command('show')
    .description('one prediction; with --arrays also its arrays and the figures recomputed from them')
    .argument('<path>')
    .argument('<prediction_id>')
    .option('--arrays', 'read the arrays as well')
    .option('--json', 'print one JSON document')
    .action((path: string, id: string, options: Options) =>
      runVerb(options, async () => {
        const shown = await withCatalog(path, (catalog, resolved) => show(catalog, resolved, id, options.arrays === true))
        printResult(options, shown, describe)
        return exitCodes.done
      }),
    )
}

const show = async (catalog: Catalog, resolved: ResolvedWorkspace, id: string, withArrays: boolean): Promise<object> => {
  const row = await getPrediction(catalog, id)
  return withArrays ? { ...row, ...(await readArrays(catalog, resolved, row)) } : row
}

/** The five arrays and what they give, or why that is nothing; all null when the prediction has none. */
const readArrays = async (catalog: Catalog, resolved: ResolvedWorkspace, row: PredictionDetail): Promise<object> => {
  const [ref = { prediction_id: row.prediction_id, array_source: null }] = await findArrayRefs(catalog, [row.prediction_id])
  const arrays = await withArrayReader({}, (reader) => reader.loadOne(resolved, ref))
  if (arrays === null) return { ...noArrays, metrics: null }
  const { regression, classification, y_true, y_pred } = makeScatter(row, arrays)
  const why = `y_true has ${y_true.length} values and y_pred ${y_pred.length}: which of them belong together cannot be told`
  return {
    ...toWireArrays(arrays),
    metrics: regression ?? classification,
    ...(y_true.length === y_pred.length ? {} : { no_metrics_because: why }),
  }
}

const noArrays = Object.fromEntries(Object.keys(PredictionArrays.omit({ prediction_id: true }).shape).map((name) => [name, null]))

const describe = (shown: object): string =>
  formatTable(
    ['', ''],
    Object.entries(shown)
      .filter(([name]) => name !== 'siblings')
      .map(([name, value]) => [name, toText(value)]),
  )

const toText = (value: unknown): string | number | boolean | null => {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  return Array.isArray(value)
    ? `${value.length} values: ${value.slice(0, 5).join(', ')}${value.length > 5 ? ', …' : ''}`
    : JSON.stringify(value)
}
