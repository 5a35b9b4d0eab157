const width = 80

/** Breaks a sentence between words so that no line is longer than a narrow terminal; `first` and `rest` are the columns that lines start at. */
export const wrapText = (text: string, options: { first?: number; rest?: number } = {}): string => {
  const { first = 0, rest = first + 2 } = options
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const start = ' '.repeat(lines.length === 0 ? first : rest)
    if (line === '') line = `${start}${word}`
    else if (line.length + 1 + word.length <= width) line = `${line} ${word}`
    else {
      lines.push(line)
      line = `${' '.repeat(rest)}${word}`
    }
  }
  return [...lines, line].join('\n')
}
