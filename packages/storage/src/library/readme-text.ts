import { prettyJson } from './json-text.ts'
import type { JsonObject, JsonTree } from './json-tree.ts'

/** The page beside a template, for whoever meets the folder without this program. */
export const readmeText = (metadata: JsonObject): string => {
  const tags = metadata.get('tags')
  const metrics = metadata.get('metrics')
  const parts = [`# ${oneLine(metadata.get('name')) || 'Template'}`]
  if (oneLine(metadata.get('description'))) parts.push(String(metadata.get('description')))
  if (Array.isArray(tags) && tags.length > 0) parts.push(`**Tags**: ${tags.map(oneLine).join(', ')}`)
  if (metrics instanceof Map && metrics.size > 0) parts.push('## Performance Metrics', [...metrics].map(metricLine).join('\n'))
  parts.push('## Usage', usage(metadata))
  if (oneLine(metadata.get('notes'))) parts.push('## Notes', String(metadata.get('notes')))
  return `${parts.join('\n\n').toWellFormed()}\n`
}

const metricLine = ([name, value]: [string, JsonTree]): string => `- **${oneLine(name)}**: ${prettyJson(value)}`

const usage = (metadata: JsonObject): string => {
  // JSON text of a string is Python text too.
  const quoted = (field: string) => JSON.stringify(metadata.get(field) ?? '')
  return [
    '```python',
    'from nirs4all.pipeline.storage.library import PipelineLibrary',
    '',
    'library = PipelineLibrary(workspace_path)',
    `pipeline = library.load_template(${quoted('name')}, category=${quoted('category')})`,
    '```',
  ].join('\n')
}

const oneLine = (tree: JsonTree | undefined): string => (typeof tree === 'string' ? tree.replace(/\p{Cc}+/gu, ' ').trim() : '')
