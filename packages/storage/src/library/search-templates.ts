import type { TemplateField, TemplateFilter, TemplateMatches, TemplateMetadata } from '@nirs-workspace/types'
import { checkGiven, checkText } from '../options/check-options.ts'
import { plainText } from '../predictions/plain-text.ts'
import { canonicalJson } from './json-text.ts'
import { Filter, passes } from './list-templates.ts'
import { scanLibrary } from './scan-library.ts'
import { describeTemplate } from './template-metadata.ts'

/** In order of weight: a name that matches comes before a pipeline that does. */
const fields = ['name', 'tags', 'description', 'content'] as const satisfies readonly TemplateField[]

type Searchable = Record<TemplateField, string>

/** Templates that have every word of `query` somewhere, whatever its case and accents. */
export const searchTemplates = async (workspace: string, query: string, filter: TemplateFilter = {}): Promise<TemplateMatches> => {
  checkText('the words', query)
  checkGiven(Filter, filter, 'the filter')
  const words = plainText(query).split(/\s+/).filter(Boolean)
  const { templates, unreadable } = await scanLibrary(workspace)
  const rows = templates
    .map((template) => ({ metadata: describeTemplate(template), pipeline: template.pipeline }))
    .filter(({ metadata }) => passes(metadata, filter))
    .map(({ metadata, pipeline }) => {
      const matched = matchedFields(searchable(metadata, canonicalJson(pipeline)), words)
      return matched === undefined ? undefined : { ...metadata, matched }
    })
    .filter((row) => row !== undefined)
    .toSorted((left, right) => weight(left.matched) - weight(right.matched) || compareIds(left, right))
  return { rows, total: rows.length, unreadable: [...unreadable] }
}

const searchable = (metadata: TemplateMetadata, content: string): Searchable => ({
  name: plainText(metadata.name),
  tags: metadata.tags.map(plainText).join('\n'),
  description: plainText(metadata.description),
  content: plainText(content),
})

/** The fields that hold a word, or undefined when one of the words is nowhere. */
const matchedFields = (text: Searchable, words: readonly string[]): TemplateField[] | undefined => {
  const everyWordFound = words.every((word) => fields.some((field) => text[field].includes(word)))
  return everyWordFound ? fields.filter((field) => words.some((word) => text[field].includes(word))) : undefined
}

const weight = (matched: readonly TemplateField[]): number => {
  const best = fields.findIndex((field) => matched.includes(field))
  return best === -1 ? fields.length : best
}

const compareIds = (left: TemplateMetadata, right: TemplateMetadata): number => (left.id < right.id ? -1 : 1)
