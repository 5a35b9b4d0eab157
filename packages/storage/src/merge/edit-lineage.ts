import { decoded } from './rewrite-references.ts'

/** Members of `lineage` in the config of a run, and the tables of the rows that they name. */
export const lineageMembers: ReadonlyMap<string, 'runs' | 'predictions'> = new Map([
  ['parent_run', 'runs'],
  ['derived_from_result', 'predictions'],
])

/** Strings, brackets and marks, and whatever stands between them: numbers, Python's NaN. */
const jsonToken = /"(?:[^"\\]|\\[\s\S])*"|[{}[\]:,]|[^\s"{}[\]:,]+/g

/** Of every open object the member that is being read, null before its name; of every open array undefined. */
type Path = (string | null | undefined)[]

/**
 * Exchanges the ids that the lineage of a run names, and no other character of its config: each for what `edit` answers, null for the word null.
 */
export const editLineage = (config: string, edit: (table: 'runs' | 'predictions', id: string) => string | null): string => {
  const path: Path = []
  return config.replace(jsonToken, (token) => {
    const table = step(path, token)
    if (table === undefined) return token
    const id = decoded(token)
    const edited = edit(table, id)
    return edited === id ? token : JSON.stringify(edited)
  })
}

/** Follows a token; answers with a table when the token is the id of one of its rows. */
const step = (path: Path, token: string): 'runs' | 'predictions' | undefined => {
  if (token === '{') path.push(null)
  else if (token === '[') path.push(undefined)
  else if (token === '}' || token === ']') path.pop()
  else if (token === ',' && path.at(-1) !== undefined) path[path.length - 1] = null
  if (!token.startsWith('"')) return undefined
  if (path.at(-1) !== null) return path.length === 2 && path[0] === 'lineage' ? lineageMembers.get(path[1] ?? '') : undefined
  path[path.length - 1] = decoded(token)
  return undefined
}
