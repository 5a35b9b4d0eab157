import type { SavedTemplate, TemplateFields } from '@nirs-workspace/types'
import { describePlace } from './find-template.ts'
import { contentHash } from './json-text.ts'
import type { JsonObject } from './json-tree.ts'
import { invalidTemplate, templateExists } from './library-error.ts'
import { notReplayable } from './not-replayable.ts'
import { publishTemplate } from './publish-template.ts'
import { type StoredTemplate, whyUnreadable } from './read-template.ts'
import { replaceMetadata, replacePipeline } from './replace-template.ts'
import type { LibraryContent } from './scan-library.ts'
import { buildMetadata, describeTemplate, saysTheSame, templateCategory, templateName } from './template-metadata.ts'

export interface PlaceRequest {
  fields: TemplateFields
  pipeline: JsonObject
  /** Fields of another program to keep. */
  more?: JsonObject | undefined
  overwrite: boolean
  keepDuplicate: boolean
}

/** Puts a template into the library, or recognises that it is there. The caller holds the turn of the library. */
export const placeTemplate = async (library: LibraryContent, request: PlaceRequest): Promise<SavedTemplate> => {
  const { fields, pipeline } = request
  checkReadable('pipeline', pipeline)
  const hash = contentHash(pipeline)
  const warnings = notReplayable(pipeline)
  const namesake = library.templates.find((one) => templateName(one) === fields.name && templateCategory(one) === fields.category)
  if (namesake !== undefined) return { ...(await replace(library, namesake, request, hash)), warnings }
  const twin = request.keepDuplicate ? undefined : library.templates.find((one) => one.hash === hash)
  if (twin !== undefined) return { status: 'identical', template: describeTemplate(twin), trash_id: null, warnings }
  const metadata = buildMetadata(fields, hash, request.more)
  checkReadable('metadata', metadata)
  const id = await publishTemplate(library.root, fields, { metadata, pipeline })
  return { status: 'created', template: await describePlace(library.root, id), trash_id: null, warnings }
}

/** What could not be read back is not written: it would be there, and neither be loaded nor known again. */
const checkReadable = (part: 'pipeline' | 'metadata', tree: JsonObject): void => {
  const reason = whyUnreadable(tree)
  if (reason !== undefined) throw invalidTemplate(`The ${part} of the template, as it would be written, is ${reason}.`, 'Save less in it.')
}

const replace = async (
  { root }: LibraryContent,
  old: StoredTemplate,
  { fields, pipeline, overwrite }: PlaceRequest,
  hash: string,
): Promise<Omit<SavedTemplate, 'warnings'>> => {
  const metadata = buildMetadata(fields, hash, old.metadata)
  const samePipeline = old.hash === hash
  if (samePipeline && saysTheSame(old.metadata, metadata)) return { status: 'unchanged', template: describeTemplate(old), trash_id: null }
  if (!overwrite) throw templateExists(fields.name, fields.category)
  checkReadable('metadata', metadata)
  const trash_id = samePipeline ? await replaceMetadata(root, old, metadata) : await replacePipeline(root, old, { metadata, pipeline })
  return { status: samePipeline ? 'updated' : 'replaced', template: await describePlace(root, old.id), trash_id }
}
