import type { SavedTemplate, TemplateMetadata, UnreadableTemplate } from '@nirs-workspace/types'
import { formatTable, printable } from '../table.ts'
import { wrapText } from '../wrap-text.ts'

/** Templates one below the other, then those that cannot be read. */
export const describeTemplates = (rows: readonly TemplateMetadata[], unreadable: readonly UnreadableTemplate[]): string =>
  [
    rows.length === 0
      ? 'No templates.'
      : formatTable(
          ['id', 'name', 'tags', 'modified'],
          rows.map(({ id, name, tags, modified_at }) => [id, name, tags.join(', '), modified_at?.slice(0, 10) ?? '']),
          { widest: 26 },
        ),
    ...unreadable.map(({ id, reason }) => wrapText(`cannot be read: ${printable(id)}: ${printable(reason)}`)),
  ].join('\n')

const outcomes: Record<SavedTemplate['status'], string> = {
  created: 'saved as',
  replaced: 'replaced',
  updated: 'updated',
  unchanged: 'unchanged:',
  identical: 'nothing was saved, the same pipeline is',
}

export const describeSaved = ({ status, template, trash_id, warnings }: SavedTemplate): string =>
  [
    `${outcomes[status]} ${printable(template.id)}${status === 'identical' ? ' (--keep-duplicate saves it twice)' : ''}`,
    ...(trash_id === null ? [] : [`what was there is in the trash of the library as ${trash_id}`]),
    ...warnings.map((warning) => wrapText(`warning: ${printable(warning)}`)),
  ].join('\n')

/** What a template says of itself, a line each. */
export const describeMetadata = (template: TemplateMetadata): string =>
  formatTable(
    ['', ''],
    [
      ['id', template.id],
      ['name', template.name],
      ['category', template.category],
      ['description', template.description],
      ['tags', template.tags.join(', ')],
      ...Object.entries(template.metrics).map(([name, value]) => [name, value]),
      ['notes', template.notes],
      ['modified', template.modified_at?.slice(0, 19).replace('T', ' ')],
    ].filter(([, value]) => value !== ''),
    { widest: 64 },
  ).trimStart()
