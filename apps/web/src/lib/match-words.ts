/** Letters that Unicode does not take apart into a plain one and a mark. */
const plain: Readonly<Record<string, string>> = { œ: 'oe', æ: 'ae', ß: 'ss', ø: 'o', đ: 'd', ł: 'l' }

/** A text as people type it when they look for it: without case, accents and ligatures. */
const folded = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[œæßøđł]/g, (letter) => plain[letter] ?? letter)

/** The words of a search. */
export const wordsOf = (query: string): readonly string[] =>
  folded(query)
    .split(/\s+/u)
    .filter((word) => word !== '')

const isLetter = (sign: string | undefined): boolean => sign !== undefined && /[\p{L}\p{N}]/u.test(sign)

const beginsWord = (text: string, word: string): boolean => {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!isLetter(text[at - 1])) return true
  }
  return false
}

/**
 * How well a name fits a search whose words may come in any order: 3 when it begins with the search as it was typed, 2 when each word
 * begins one of the name's, 1 when each begins one of the name's or of `more`, 0 when one is only found inside; undefined when one is
 * found nowhere.
 */
export const matchRank = (words: readonly string[], name: string, more = ''): number | undefined => {
  const own = folded(name)
  const all = `${own} ${folded(more)}`
  if (!words.every((word) => all.includes(word))) return undefined
  if (own.startsWith(words.join(' '))) return 3
  if (words.every((word) => beginsWord(own, word))) return 2
  return words.every((word) => beginsWord(all, word)) ? 1 : 0
}
