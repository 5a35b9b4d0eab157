import { type SavedTemplate, SaveTemplate } from '@nirs-workspace/types'
import type * as z from 'zod'
import { parseGiven } from '../options/check-options.ts'
import { changeLibrary } from './change-library.ts'
import { type JsonObject, type JsonTree, parseJsonTree, toJsonTree } from './json-tree.ts'
import { invalidTemplate } from './library-error.ts'
import { placeTemplate } from './place-template.ts'
import { toPipeline } from './read-template.ts'

export type SaveTemplateInput = z.input<typeof SaveTemplate>

/**
 * Saves a pipeline under a name and category, or says that it is there: the same pipeline is stored once unless `keep_duplicate` is set.
 * A taken name is refused unless `overwrite` is set. nirs4all reads the result.
 */
export const saveTemplate = async (workspace: string, input: SaveTemplateInput): Promise<SavedTemplate> => {
  const { pipeline, pipeline_json, overwrite, keep_duplicate, ...fields } = parseFields(SaveTemplate.strict(), input)
  if ((pipeline === undefined) === (pipeline_json === undefined)) {
    throw invalidTemplate('A template has one pipeline: as a value or as JSON text.', 'Give `pipeline` or `pipeline_json`.')
  }
  const content = pipelineOf(pipeline_json === undefined ? valueTree(pipeline) : parsePipelineText(pipeline_json))
  return changeLibrary(workspace, (library) =>
    placeTemplate(library, { fields, pipeline: content, overwrite, keepDuplicate: keep_duplicate }),
  )
}

/** Parses what a caller gave, as a coded error. A metric called `__proto__` would be dropped without a word, so it is refused. */
export const parseFields = <Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> => {
  const parsed = parseGiven(schema, input, { name: 'the template', hint: 'Correct the value and try again.' })
  const metrics: unknown = input instanceof Object && 'metrics' in input ? input.metrics : undefined
  if (metrics instanceof Object && Object.hasOwn(metrics, '__proto__')) {
    throw invalidTemplate('A metric cannot be called __proto__.', 'Give it another name.')
  }
  return parsed
}

export const parsePipelineText = (text: string): JsonTree => {
  try {
    return parseJsonTree(text)
  } catch (error) {
    if (error instanceof SyntaxError) throw invalidTemplate(`The pipeline is ${error.message}.`, 'Correct the JSON text.', error)
    throw error
  }
}

export const pipelineOf = (tree: JsonTree): JsonObject => {
  const pipeline = toPipeline(tree)
  if (pipeline === undefined) throw invalidTemplate('The pipeline is neither a list of steps nor an object.', 'Give a list of steps.')
  return pipeline
}

export const valueTree = (value: unknown): JsonTree => {
  const tree = toJsonTree(value)
  if (tree === undefined)
    throw invalidTemplate('The pipeline holds something that JSON cannot hold.', 'Give texts, numbers, lists and objects only.')
  return tree
}
