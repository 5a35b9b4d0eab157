/** The columns that the predictions table showed last, as they stand in its address; links into the table carry them along. */
const key = 'nirs.columns'

export type LastColumns = Readonly<Record<string, string>>

export const rememberColumns = (columns: Readonly<Record<string, unknown>>): void => {
  try {
    localStorage.setItem(key, JSON.stringify(columns))
  } catch (error) {
    // Storage that is full or forbidden costs the memory of a choice, nothing else.
    if (!(error instanceof DOMException)) throw error
  }
}

export const lastColumns = (): LastColumns => {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(key) ?? '{}')
    if (typeof stored !== 'object' || stored === null) return {}
    return Object.fromEntries(Object.entries(stored).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
  } catch (error) {
    if (error instanceof DOMException || error instanceof SyntaxError) return {}
    throw error
  }
}
