import { FoldKind } from '@nirs-workspace/types'
import { type Command, Option } from 'commander'
import { rankPredictions } from '../workspaces/rank-predictions.ts'
import { exitCodes } from './exit-codes.ts'
import { requireDatasets, requireValues } from './known-names.ts'
import { type OutputOptions, printResult, runVerb, say } from './output.ts'
import { parseCount } from './parse-filters.ts'
import { formatTable, printable } from './table.ts'
import { withLatestCatalog } from './with-catalog.ts'

interface Options extends OutputOptions {
  number: string
  metric?: string
  dataset?: string
  foldKind?: FoldKind
  direction?: 'higher' | 'lower' | 'zero'
}

export const addTop = (program: Command): void => {
  program
    .command('top')
    .description('the best cross-validation rows per dataset and metric, refits left out')
    .argument('<path>')
    .option('-n, --number <n>', 'rows per dataset and metric', '10')
    .option('--metric <name>', 'only this metric')
    .option('--dataset <name>', 'only this dataset')
    .addOption(new Option('--fold-kind <kind>', 'only folds, averages or refits').choices(FoldKind.options))
    .addOption(new Option('--direction <which>', 'for a metric whose direction is unknown').choices(['higher', 'lower', 'zero']))
    .option('--json', 'print one JSON document')
    .action((path: string, options: Options) => runVerb(options, () => top(path, options)))
}

const top = async (path: string, options: Options): Promise<number> => {
  const ranking = await withLatestCatalog(path, async (catalog) => {
    await requireDatasets(catalog, options.dataset === undefined ? [] : [options.dataset])
    await requireValues(catalog, 'metric', options.metric === undefined ? [] : [options.metric])
    return rankPredictions(catalog, {
      n: parseCount(options.number, '-n', 1, 1000),
      metric: options.metric,
      dataset_name: options.dataset,
      fold_kind: options.foldKind,
      direction: options.direction,
    })
  })
  // Refits have no validation score of their own: they are ranked by that of the test samples.
  const [name, scoreOf] = options.foldKind === 'refit' ? (['test score', 'test_score'] as const) : (['val score', 'val_score'] as const)
  printResult(options, ranking, ({ rows }) =>
    formatTable(
      ['dataset', 'metric', name, 'model', 'preprocessing', 'fold', 'prediction'],
      rows.map((row) => [row.dataset_name, row.metric, row[scoreOf], row.model_name, row.preprocessings, row.fold_id, row.prediction_id]),
    ),
  )
  if (ranking.rows.length === 0 && ranking.unranked_metrics.length === 0) say(`Nothing to rank: no such prediction has a ${name}.`)
  if (ranking.unranked_metrics.length > 0) {
    const names = ranking.unranked_metrics.map((name) => printable(JSON.stringify(name))).join(', ')
    say(`Not ranked, as it is unknown whether more or less is better: ${names}. Name one with --metric and say which with --direction.`)
  }
  return exitCodes.done
}
