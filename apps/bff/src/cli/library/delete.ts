import type { Command } from 'commander'
import { agrees, type ChangeOptions, withChangeOptions } from '../change-options.ts'
import { commandText } from '../command-text.ts'
import { exitCodes } from '../exit-codes.ts'
import { printResult, runVerb } from '../output.ts'
import { printable } from '../table.ts'
import { describeMetadata } from './describe-template.ts'
import { openLibrary } from './open-library.ts'
import { type RefOptions, templateRef, withTemplateRef } from './template-ref.ts'

export const addLibraryDelete = (library: Command): void => {
  withChangeOptions(withTemplateRef(library.command('delete').description('move a template to the trash of the library'))).action(
    (path: string, word: string, options: ChangeOptions & RefOptions) => runVerb(options, () => remove(path, word, options)),
  )
}

const remove = async (path: string, word: string, options: ChangeOptions & RefOptions): Promise<number> => {
  const library = await openLibrary(path)
  const ref = await templateRef(library, word, options)
  const { rows, unreadable } = await library.list()
  const damaged = 'id' in ref && unreadable.some(({ id }) => id === ref.id)
  const template = damaged ? null : await library.metadata(ref)
  const preview =
    template === null ? `Would remove ${printable(word)}, which cannot be read.` : `Would remove:\n${describeMetadata(template)}`
  if (options.dryRun === true) {
    printResult(options, { id: template?.id ?? word, template, remaining: rows.length + unreadable.length - 1 }, () => preview)
    return exitCodes.done
  }
  if (!(await agrees(`${preview}\nIt goes to the trash of the library.`, 'Remove it now?', options))) return exitCodes.done
  const { trash_id } = await library.delete(ref)
  const restore_command = commandText('library', 'restore', library.workspace, trash_id)
  printResult(
    options,
    { id: template?.id ?? word, template, trash_id, restore_command },
    () => `In the trash of the library as ${trash_id}. To bring it back:\n  ${restore_command}`,
  )
  return exitCodes.done
}
