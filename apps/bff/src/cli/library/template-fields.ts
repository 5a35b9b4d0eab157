import type { Command } from 'commander'
import { collect } from '../collect-values.ts'

export interface FieldOptions {
  name: string
  category?: string
  description?: string
  tag: string[]
  notes?: string
  overwrite?: boolean
  keepDuplicate?: boolean
}

/** What a new template is told beside its pipeline. */
export const withTemplateFields = (command: Command): Command =>
  command
    .requiredOption('--name <name>', 'of the template')
    .option('--category <name>', 'default: general')
    .option('--description <text>', 'what it is for')
    .option('--tag <tag>', 'repeatable', collect, [])
    .option('--notes <text>', 'anything else')
    .option('--overwrite', 'replace the template of this name; what was there goes to the trash of the library')
    .option('--keep-duplicate', 'save it although another template holds the same pipeline')

export const templateFields = ({ name, category, description, tag, notes, overwrite, keepDuplicate }: FieldOptions) => ({
  name,
  category,
  description,
  tags: tag,
  notes,
  overwrite,
  keep_duplicate: keepDuplicate,
})
