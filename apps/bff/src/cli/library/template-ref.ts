import type { PipelineLibrary, TemplateRef } from '@nirs-workspace/storage'
import type { Command } from 'commander'

export interface RefOptions {
  category?: string
}

export const withTemplateRef = (command: Command): Command =>
  command
    .argument('<path>')
    .argument('<template>', 'its name, or the id that list shows')
    .option('--category <name>', 'where several have that name')

/** What a word on the command line names: a template with that id, else one with that name. */
export const templateRef = async (library: PipelineLibrary, word: string, { category }: RefOptions): Promise<TemplateRef> => {
  const { rows, unreadable } = await library.list()
  const isId = category === undefined && [...rows, ...unreadable].some(({ id }) => id === word)
  return isId ? { id: word } : { name: word, category }
}
