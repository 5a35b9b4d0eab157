import type { UnreadableFile } from '@nirs-workspace/types'

const most = 5

/** What cannot be read because of these files, in a sentence for each of the first. */
export const unreadableText = (files: readonly Pick<UnreadableFile, 'path' | 'reason' | 'datasets'>[]): string => {
  const sentences = files.slice(0, most).map(({ path, reason, datasets }) => {
    const names = datasets.slice(0, most).map((name) => JSON.stringify(name))
    const more = datasets.length > most ? ` and ${datasets.length - most} more datasets` : ''
    return `${path} ${reason === 'damaged' ? 'is damaged' : 'is not there'}: the arrays of ${names.join(', ')}${more} cannot be read.`
  })
  return [...sentences, ...(files.length > most ? [`So it is with ${files.length - most} more files.`] : [])].join(' ')
}
