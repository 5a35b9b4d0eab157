import { recordedDatasets, resolveDatasets } from '@nirs-workspace/storage'
import type { DatasetResolution } from '@nirs-workspace/types'
import type { Command } from 'commander'
import { collect } from './collect-values.ts'
import { exitCodes } from './exit-codes.ts'
import { interruptible } from './interruptible.ts'
import { type OutputOptions, printResult, runVerb } from './output.ts'
import { formatTable, printable } from './table.ts'
import { withCatalog } from './with-catalog.ts'
import { wrapText } from './wrap-text.ts'

interface Options extends OutputOptions {
  root: string[]
  quick?: boolean
  check?: boolean
}

export const addResolveDatasets = (program: Command): void => {
  program
    .command('resolve-datasets')
    .description('where the files of the datasets are now, by what the runs recorded: path, name, size, hash')
    .argument('<path>')
    .option('--root <folder>', 'a folder to search; repeatable; recorded relative paths start at the first', collect, [])
    .option('--quick', 'take size or quick hash for enough where a path leads to a file')
    .option('--check', 'exit with 1 when the file of a dataset is not found or is another')
    .option('--json', 'print one JSON document')
    .action((path: string, options: Options) => runVerb(options, () => resolveAll(path, options)))
}

const resolveAll = async (path: string, options: Options): Promise<number> => {
  const sources = await withCatalog(path, (catalog) => recordedDatasets(catalog))
  const rows = await interruptible((signal) =>
    resolveDatasets(sources, { roots: options.root, depth: options.quick === true ? 'quick' : 'full', signal }),
  )
  printResult(options, { rows, total: rows.length }, () => describe(rows))
  const isFound = ({ status }: DatasetResolution) => ['valid', 'relocated', 'found_by_hash'].includes(status)
  return options.check === true && !rows.every(isFound) ? exitCodes.findings : exitCodes.done
}

const describe = (rows: readonly DatasetResolution[]): string =>
  [
    formatTable(
      ['dataset', 'status', 'compared by', 'path'],
      rows.map(({ name, status, verified_by, path, alternative_path }) => [name, status, verified_by, alternative_path ?? path]),
      { widest: 40 },
    ),
    ...[...Map.groupBy(rows, ({ detail }) => detail)].flatMap(([detail, same]) =>
      detail === null ? [] : [wrapText(`${same.map(({ name }) => printable(name)).join(', ')}: ${printable(detail)}`)],
    ),
  ].join('\n')
