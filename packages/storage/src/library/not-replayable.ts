import type { JsonTree } from './json-tree.ts'

/** nirs4all leaves these texts where an object could not be written as JSON. */
const pythonRepr = /^<.*\bat 0x[0-9a-f]+>$/s

/** One sentence for each place of a pipeline that holds the trace of a Python object instead of the object. */
export const notReplayable = (tree: JsonTree, place = ''): string[] => {
  if (typeof tree === 'string')
    return pythonRepr.test(tree) ? [`${place || '/'} holds ${tree}, which nirs4all cannot turn back into an object.`] : []
  if (Array.isArray(tree)) return tree.flatMap((item, index) => notReplayable(item, `${place}/${index}`))
  return tree instanceof Map ? [...tree].flatMap(([key, value]) => notReplayable(value, `${place}/${key}`)) : []
}
