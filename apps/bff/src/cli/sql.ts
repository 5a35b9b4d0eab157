import { text } from 'node:stream/consumers'
import { querySql } from '@nirs-workspace/storage'
import type { SqlCell, SqlResult } from '@nirs-workspace/types'
import type { Command } from 'commander'
import { exitCodes } from './exit-codes.ts'
import { interruptible } from './interruptible.ts'
import { type OutputOptions, printResult, runVerb, say } from './output.ts'
import { parseCount, parseNumber } from './parse-filters.ts'
import { formatTable } from './table.ts'
import { withLatestCatalog } from './with-catalog.ts'

interface Options extends OutputOptions {
  limit: string
  timeout: string
}

export const addSql = (program: Command): void => {
  program
    .command('sql')
    .description(
      'one reading SQL statement over runs, pipelines, chains, predictions, artifacts, logs, projects, chain_summary and samples',
    )
    .argument('<path>')
    .argument('<statement>', 'a SELECT in the words of DuckDB; - reads it from standard input')
    .option('--limit <n>', 'rows at most', '10000')
    .option('--timeout <seconds>', 'after which it is stopped', '30')
    .option('--json', 'print one JSON document')
    .action((path: string, statement: string, options: Options) => runVerb(options, () => sql(path, statement, options)))
}

const sql = async (path: string, statement: string, options: Options): Promise<number> => {
  const rows = parseCount(options.limit, '--limit', 1, 1_000_000)
  const deadline = parseNumber(options.timeout, '--timeout', 1, 3600) * 1000
  const asked = statement === '-' ? await text(process.stdin) : statement
  const result = await interruptible((signal) =>
    withLatestCatalog(path, (catalog, resolved) => querySql(catalog.file.path, asked, { rows, deadline, bytes: 64e6, signal }, resolved)),
  )
  printResult(options, result, describe)
  if (result.truncated && options.json !== true) say(`Only the first ${result.row_count} rows; --limit gives more.`)
  return exitCodes.done
}

const describe = ({ columns, rows }: SqlResult): string =>
  rows.length === 0
    ? 'No rows.'
    : formatTable(
        columns.map(({ name }) => name),
        rows.map((row) => row.map(toCell)),
      )

const toCell = (value: SqlCell): string | number | boolean | null => (value instanceof Object ? JSON.stringify(value) : value)
