import type { Template, TemplateMetadata } from '@nirs-workspace/types'
import * as z from 'zod'
import { checkGiven } from '../options/check-options.ts'
import { maybeText, text } from '../options/option-schemas.ts'
import { prettyJson, toWireJson } from './json-text.ts'
import { invalidTemplate, templateNotFound } from './library-error.ts'
import { readTemplate, type StoredTemplate } from './read-template.ts'
import { type LibraryContent, scanLibrary } from './scan-library.ts'
import { describeTemplate, templateCategory, templateName } from './template-metadata.ts'

/** One template: by its id, or by its exact name, with the category where several have that name. */
export type TemplateRef = { id: string } | { name: string; category?: string | undefined }

const Ref = z.union([z.strictObject({ id: text }), z.strictObject({ name: text, category: maybeText })])

/** Refuses what names no template. Throws `validation`. */
export const checkRef = (ref: TemplateRef): void => checkGiven(Ref, ref, 'the template')

/** A template with its pipeline. */
export const loadTemplate = async (workspace: string, ref: TemplateRef): Promise<Template> => {
  const template = findTemplate(await scanLibrary(workspace), ref)
  return { ...describeTemplate(template), pipeline: toWireJson(template.pipeline), pipeline_json: prettyJson(template.pipeline) }
}

export const templateMetadata = async (workspace: string, ref: TemplateRef): Promise<TemplateMetadata> =>
  describeTemplate(findTemplate(await scanLibrary(workspace), ref))

/** Throws when there is none, when there are several, and when the one asked for cannot be read. */
export const findTemplate = (library: LibraryContent, ref: TemplateRef): StoredTemplate => {
  checkRef(ref)
  const found = library.templates.filter((template) => matches(template, ref))
  const [first, second] = found
  if (first === undefined) throw absent(library, ref)
  if (second === undefined) return first
  throw invalidTemplate(
    `${found.length} templates have this name: ${found.map(({ id }) => id).join(', ')}.`,
    'Say which category, or give the id.',
  )
}

/** The template in a known place, as it is now. */
export const describePlace = async (root: string, id: string): Promise<TemplateMetadata> => {
  const [categoryFolder = '', folder = ''] = id.split('/')
  const template = await readTemplate(root, { categoryFolder, folder })
  if (template === undefined || 'reason' in template) throw templateNotFound(id)
  return describeTemplate(template)
}

const matches = (template: StoredTemplate, ref: TemplateRef): boolean => {
  if ('id' in ref) return template.id === ref.id
  if (templateName(template) !== ref.name) return false
  return ref.category === undefined || templateCategory(template) === ref.category
}

const absent = (library: LibraryContent, ref: TemplateRef) => {
  const damaged = 'id' in ref ? library.unreadable.find(({ id }) => id === ref.id) : undefined
  if (damaged !== undefined)
    return invalidTemplate(`The template ${damaged.id} cannot be read: ${damaged.reason}.`, 'Mend or remove its folder.')
  const what = 'id' in ref ? ref.id : `"${ref.name}"${ref.category === undefined ? '' : ` in the category "${ref.category}"`}`
  return templateNotFound(what)
}
