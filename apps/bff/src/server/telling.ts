/** How answers speak of places on this machine: in full to its own user, without absolute paths to the network. */
export interface Telling {
  /** The text of an error. */
  text(text: string): string
  /** The JSON of an answer or event. */
  json(body: object): string
}

export const tellAll: Telling = { text: (text) => text, json: (body) => JSON.stringify(body) }

/** Members of JSON bodies that say in words, or by a path, what happened or who holds a store. */
const worded = new Set(['detail', 'hint', 'command'])

/**
 * Paths inside `root` become relative to it; of others the last name is left. `hidden` are folders whose names may hold blanks, where the
 * end of a path could not be told from the words around it.
 */
export const tellWithoutPaths = ({ root, hidden }: { root: string | undefined; hidden: readonly string[] }): Telling => {
  const longestFirst = hidden.toSorted((a, b) => b.length - a.length)
  const text = (given: string): string => {
    const inside = root === undefined ? given : withoutFolder(given, root, '', 'the workspace root')
    return longestFirst.reduce((rest, folder) => withoutFolder(rest, folder, '…/', '…'), inside).replace(absolutePath, '…/$1')
  }
  const hide = (key: string, value: unknown) => (worded.has(key) && typeof value === 'string' ? text(value) : value)
  return { text, json: (body) => JSON.stringify(body, hide) }
}

/** A separator at the beginning of a word, then names with separators between; the last name is kept. */
const absolutePath = /(?<![\w.~%…-])(?:[a-z]:)?(?:[\\/][^\s\\/"'():,;]+)*[\\/]([^\s\\/"'():,;]+)/gi

const withoutFolder = (text: string, folder: string, inside: string, itself: string): string => {
  const here = `(?<![\\w.~-])${RegExp.escape(folder)}`
  return text.replace(new RegExp(`${here}[\\\\/]`, 'g'), inside).replace(new RegExp(`${here}(?![\\w.-])`, 'g'), itself)
}
