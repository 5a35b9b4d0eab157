import { join } from 'node:path'

const mostSegments = 8

/** The parts of a recorded path, of this system or another, without drive, root and dots. */
export const pathSegments = (path: string): string[] =>
  path.split(/[\\/]/).filter((segment) => segment !== '' && segment !== '.' && segment !== '..' && !/^[A-Za-z]:$/.test(segment))

/** Where a file may have moved with its folder: the longest end of its old path first, below any of the roots, then beside, in `data` and in `datasets`. */
export const relocatedPaths = (path: string, roots: readonly string[]): string[] => {
  const segments = pathSegments(path)
  const name = segments.at(-1)
  if (name === undefined) return []
  const ends = Array.from({ length: Math.min(segments.length, mostSegments) }, (_, cut) =>
    segments.slice(cut - Math.min(segments.length, mostSegments)),
  )
  const paths = [...ends, ['data', name], ['datasets', name]].flatMap((end) => roots.map((root) => join(root, ...end)))
  return [...new Set(paths)]
}
