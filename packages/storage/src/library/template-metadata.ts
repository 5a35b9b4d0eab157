import type { TemplateFields, TemplateMetadata } from '@nirs-workspace/types'
import { toWireNumber } from '@nirs-workspace/types'
import { canonicalJson } from './json-text.ts'
import type { JsonObject, JsonTree } from './json-tree.ts'
import type { StoredTemplate } from './read-template.ts'
import { categoryFolders } from './safe-name.ts'

/** What a template says of itself. Fields that it lacks, or has in another type, come out empty. */
export const describeTemplate = (template: StoredTemplate): TemplateMetadata => {
  const { metadata, hash } = template
  const recorded = metadata.get('content_hash')
  return {
    id: template.id,
    name: templateName(template),
    category: templateCategory(template),
    description: textOf(metadata.get('description')) ?? '',
    tags: listOf(metadata.get('tags')).flatMap((tag) => textOf(tag) ?? []),
    metrics: Object.fromEntries([...objectOf(metadata.get('metrics'))].map(([name, value]) => [name, metricValue(value)])),
    notes: textOf(metadata.get('notes')) ?? '',
    created_at: textOf(metadata.get('created_at')) ?? null,
    modified_at: textOf(metadata.get('modified_at')) ?? null,
    version: textOf(metadata.get('version')) ?? '',
    content_hash: hash,
    changed_since_saved: recorded !== undefined && recorded !== hash,
  }
}

export const templateName = ({ metadata, folder }: StoredTemplate): string => textOf(metadata.get('name')) ?? folder

/** The exact category, where the folder is one that we or nirs4all would give it; else the folder, which is what nirs4all goes by. */
export const templateCategory = ({ metadata, categoryFolder }: StoredTemplate): string => {
  const claimed = textOf(metadata.get('category'))
  return claimed !== undefined && isOneOf(categoryFolder, categoryFolders(claimed)) ? claimed : categoryFolder
}

/** The fields nirs4all writes, and the hash of the pipeline they speak of. Fields of others in `previous` stay. */
export const buildMetadata = (fields: TemplateFields, hash: string, previous?: JsonObject): JsonObject => {
  const now = localTime(new Date())
  const metrics = Object.entries(fields.metrics).map(([name, value]): [string, JsonTree] => [name, metricTree(value)])
  const own: [string, JsonTree][] = [
    ['name', fields.name],
    ['category', fields.category],
    ['description', fields.description],
    ['tags', [...fields.tags]],
    ['metrics', new Map(metrics)],
    ['notes', fields.notes],
    ['created_at', previous?.get('created_at') ?? now],
    ['modified_at', now],
    ['version', '1.0'],
    ['content_hash', hash],
  ]
  return new Map([...(previous ?? []), ...own])
}

/** Whether saving these fields over what is there would change anything a person wrote. */
export const saysTheSame = (left: JsonObject, right: JsonObject): boolean =>
  ['name', 'category', 'description', 'tags', 'metrics', 'notes'].every(
    (field) => canonicalJson(left.get(field) ?? null) === canonicalJson(right.get(field) ?? null),
  )

/** As Python's `datetime.now().isoformat()`: local, without zone, microseconds. */
export const localTime = (date: Date): string => {
  const pad = (value: number, width = 2) => String(value).padStart(width, '0')
  const day = `${pad(date.getFullYear(), 4)}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
  return `${day}T${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}000`
}

const isOneOf = (folder: string, candidates: Generator<string>): boolean => candidates.take(4).some((candidate) => candidate === folder)

// A metric is a float for Python, also when it is whole.
const metricTree = (value: number | string): JsonTree => Number(value)

const metricValue = (value: JsonTree): TemplateMetadata['metrics'][string] => {
  if (typeof value === 'bigint') return toWireNumber(Number(value))
  if (typeof value === 'number') return toWireNumber(value)
  return value !== null && typeof value === 'object' ? canonicalJson(value) : value
}

const textOf = (tree: JsonTree | undefined): string | undefined => (typeof tree === 'string' ? tree : undefined)
const listOf = (tree: JsonTree | undefined): JsonTree[] => (Array.isArray(tree) ? tree : [])
const objectOf = (tree: JsonTree | undefined): JsonObject => (tree instanceof Map ? tree : new Map())
