import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, extname } from 'node:path'
import { type SavedTemplate, TemplateFields } from '@nirs-workspace/types'
import { StorageError } from '../errors.ts'
import { checkGiven, checkText } from '../options/check-options.ts'
import { flag, maybeText, optionsOf } from '../options/option-schemas.ts'
import { changeLibrary } from './change-library.ts'
import { exportFormat } from './export-template.ts'
import { contentHash } from './json-text.ts'
import type { JsonObject, JsonTree } from './json-tree.ts'
import { invalidTemplate } from './library-error.ts'
import { placeTemplate } from './place-template.ts'
import { exportBounds, readTemplate, readTree, UnreadableFile } from './read-template.ts'
import { parseFields, pipelineOf } from './save-template.ts'
import { describeTemplate } from './template-metadata.ts'

export interface ImportOptions {
  /** Instead of the name and category that the file gives. */
  name?: string | undefined
  category?: string | undefined
  overwrite?: boolean | undefined
  keepDuplicate?: boolean | undefined
}

const Options = optionsOf<ImportOptions>({ name: maybeText, category: maybeText, overwrite: flag, keepDuplicate: flag })

interface Incoming {
  pipeline: JsonObject
  metadata: JsonObject
  /** A name, when the metadata have none. */
  fallback: string
}

/**
 * Takes a file of `exportTemplate` (its hash is checked), a template folder as nirs4all exports it, or a bare pipeline in JSON. What comes
 * from outside is rewritten field by field: no file is copied, no path in it is followed.
 */
export const importTemplate = async (workspace: string, path: string, options: ImportOptions = {}): Promise<SavedTemplate> => {
  checkText('path', path)
  checkGiven(Options, options)
  const incoming = await readIncoming(path)
  const fields = parseFields(TemplateFields, fieldsOf(incoming, options))
  return changeLibrary(workspace, (library) =>
    placeTemplate(library, {
      fields,
      pipeline: incoming.pipeline,
      more: incoming.metadata,
      overwrite: options.overwrite ?? false,
      keepDuplicate: options.keepDuplicate ?? false,
    }),
  )
}

const readIncoming = async (path: string): Promise<Incoming> => {
  const real = await locate(path)
  const place = { root: dirname(real), name: basename(real) }
  if ((await stat(real)).isDirectory()) return fromFolder(place.root, place.name)
  const tree = await readFileTree(place.root, place.name)
  const fallback = basename(place.name, extname(place.name))
  if (tree instanceof Map && tree.get('format') === exportFormat) return { ...fromExport(tree, path), fallback }
  return { pipeline: pipelineOf(tree), metadata: new Map(), fallback }
}

const fromFolder = async (root: string, folder: string): Promise<Incoming> => {
  const template = await readTemplate(root, { categoryFolder: '', folder })
  if (template === undefined || 'reason' in template) {
    throw invalidTemplate(
      `${folder} holds no readable template: ${template?.reason ?? 'pipeline.json is missing'}.`,
      'Choose a template folder.',
    )
  }
  return { pipeline: template.pipeline, metadata: template.metadata, fallback: folder }
}

const fromExport = (tree: JsonObject, path: string): { pipeline: JsonObject; metadata: JsonObject } => {
  const metadata = tree.get('metadata')
  const pipeline = pipelineOf(tree.get('pipeline') ?? null)
  if (tree.get('content_hash') !== contentHash(pipeline)) {
    throw new StorageError(
      'verification_failed',
      `The pipeline in ${basename(path)} is not the one that was exported. Nothing was changed.`,
      {
        path,
        hint: 'The file is damaged or was edited; export it again.',
      },
    )
  }
  return { pipeline, metadata: metadata instanceof Map ? metadata : new Map() }
}

const fieldsOf = ({ metadata, pipeline, fallback }: Incoming, options: ImportOptions) => {
  const shown = describeTemplate({
    id: '',
    categoryFolder: 'general',
    folder: fallback,
    metadata,
    pipeline,
    hash: '',
    pending: 'none',
    pendingWriter: '',
    pendingDigest: '',
    restoring: null,
  })
  const category = metadata.get('category')
  return {
    name: options.name ?? shown.name,
    category: options.category ?? (typeof category === 'string' ? category : 'general'),
    description: shown.description,
    tags: shown.tags.filter((tag) => tag !== ''),
    metrics: Object.fromEntries(
      Object.entries(shown.metrics).filter(([, value]) => TemplateFields.shape.metrics.safeParse({ value }).success),
    ),
    notes: shown.notes,
  }
}

const locate = async (path: string): Promise<string> => {
  try {
    return await realpath(path)
  } catch (error) {
    throw new StorageError('template_not_found', `There is no file ${path}. Nothing was changed.`, { path, hint: 'Check the path.' }, error)
  }
}

const readFileTree = async (root: string, name: string): Promise<JsonTree> => {
  try {
    return (await readTree(root, name, exportBounds)) ?? null
  } catch (error) {
    if (error instanceof UnreadableFile)
      throw invalidTemplate(`${name} cannot be imported: ${error.message}.`, 'Choose a template file.', error)
    throw error
  }
}
