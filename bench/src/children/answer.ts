/** Hands the result of a child to `runChild`, with the most memory the process ever held. */
export const answer = (result: Record<string, unknown>): void => {
  process.stdout.write(JSON.stringify({ ...result, peak_rss_kb: process.resourceUsage().maxRSS }))
}

/** The arguments of the child; throws when one is missing. */
export const childArgument = (index: number): string => {
  const value = process.argv[2 + index]
  if (value === undefined) throw new Error(`Argument ${index + 1} is missing.`)
  return value
}
