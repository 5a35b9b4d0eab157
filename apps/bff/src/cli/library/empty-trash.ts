import { StorageError } from '@nirs-workspace/storage'
import type { Command } from 'commander'
import { agrees, type ChangeOptions, withChangeOptions } from '../change-options.ts'
import { exitCodes } from '../exit-codes.ts'
import { printResult, runVerb } from '../output.ts'
import { openLibrary } from './open-library.ts'
import { describeTrashed } from './trash.ts'

export const addLibraryEmptyTrash = (library: Command): void => {
  withChangeOptions(
    library
      .command('empty-trash')
      .description('give up templates of the trash of the library, for good')
      .argument('<path>')
      .argument('[trash_id...]', 'default: all'),
  ).action((path: string, ids: string[], options: ChangeOptions) => runVerb(options, () => empty(path, ids, options)))
}

const empty = async (path: string, ids: readonly string[], options: ChangeOptions): Promise<number> => {
  const library = await openLibrary(path)
  const all = await library.trash()
  const missing = ids.find((id) => all.every(({ trash_id }) => trash_id !== id))
  if (missing !== undefined) throw unknown(missing)
  const rows = ids.length === 0 ? all : all.filter(({ trash_id }) => ids.includes(trash_id))
  if (options.dryRun === true || rows.length === 0) {
    printResult(options, { rows, total: rows.length, removed: 0 }, () => describeTrashed(rows))
    return exitCodes.done
  }
  const preview = `Would remove for good:\n${describeTrashed(rows)}`
  if (!(await agrees(preview, 'This cannot be undone. Remove for good?', options))) return exitCodes.done
  // Exactly those that were shown: what has come to the trash since stays.
  const { removed } = await library.emptyTrash(rows.map(({ trash_id }) => trash_id))
  printResult(options, { rows, total: rows.length, removed }, () => `removed for good: ${removed}`)
  return exitCodes.done
}

const unknown = (id: string) =>
  new StorageError('trash_not_found', `The trash of the library holds no ${JSON.stringify(id.slice(0, 200))}. Nothing was changed.`, {
    hint: 'See what it holds with library trash.',
  })
