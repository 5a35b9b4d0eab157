import { TemplateFilter, type TemplateList, type TemplateMetadata } from '@nirs-workspace/types'
import { checkGiven } from '../options/check-options.ts'
import { scanLibrary } from './scan-library.ts'
import { describeTemplate } from './template-metadata.ts'

export const Filter = TemplateFilter.strict()

/** The templates of a category, with any of some tags, or all of them; by category and name. */
export const listTemplates = async (workspace: string, filter: TemplateFilter = {}): Promise<TemplateList> => {
  checkGiven(Filter, filter, 'the filter')
  const { templates, unreadable } = await scanLibrary(workspace)
  const all = templates.map(describeTemplate)
  const rows = all.filter((template) => passes(template, filter)).toSorted(byPlace)
  return {
    rows,
    total: rows.length,
    categories: countNames(all.map(({ category }) => category)),
    tags: countNames(all.flatMap(({ tags }) => [...new Set(tags)])),
    unreadable: [...unreadable],
  }
}

/** An absent filter lets everything pass; an empty list of tags asks for any of none, and lets nothing pass. */
export const passes = (template: TemplateMetadata, { category, tags }: TemplateFilter): boolean =>
  (category === undefined || template.category === category) && (tags === undefined || tags.some((tag) => template.tags.includes(tag)))

const byPlace = (left: TemplateMetadata, right: TemplateMetadata): number =>
  compare(left.category, right.category) || compare(left.name, right.name) || compare(left.id, right.id)

const compare = (left: string, right: string): number => (left < right ? -1 : Number(left > right))

const countNames = (names: readonly string[]): { name: string; count: number }[] => {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].map(([name, count]) => ({ name, count })).toSorted((left, right) => compare(left.name, right.name))
}
