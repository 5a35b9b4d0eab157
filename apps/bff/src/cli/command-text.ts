/** A command of this program as it can be typed, whichever way the program was started. */
export const commandText = (...words: readonly string[]): string => [programText(), ...words.map(shellWord)].join(' ')

const programText = (): string => (process.env.npm_lifecycle_event === 'cli' ? 'npm run -s cli --' : 'nirs-workspace')

const shellWord = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)
