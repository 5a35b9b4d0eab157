import type { Command } from 'commander'
import { collect } from '../collect-values.ts'
import { exitCodes } from '../exit-codes.ts'
import { type OutputOptions, printResult, runVerb } from '../output.ts'
import { describeTemplates } from './describe-template.ts'
import { openLibrary } from './open-library.ts'

interface Options extends OutputOptions {
  category?: string
  tag: string[]
  search?: string
}

export const addLibraryList = (library: Command): void => {
  library
    .command('list')
    .description('the templates, by category and name')
    .argument('<path>')
    .option('--category <name>', 'only this category')
    .option('--tag <tag>', 'with any of these; repeatable', collect, [])
    .option('--search <words>', 'with every word somewhere in name, tags, description or pipeline')
    .option('--json', 'print one JSON document')
    .action((path: string, options: Options) => runVerb(options, () => list(path, options)))
}

const list = async (path: string, { category, tag, search, ...options }: Options): Promise<number> => {
  const library = await openLibrary(path)
  const filter = { category, tags: tag.length === 0 ? undefined : tag }
  const found = search === undefined ? await library.list(filter) : await library.search(search, filter)
  printResult(options, found, ({ rows, unreadable }) => describeTemplates(rows, unreadable))
  return exitCodes.done
}
