import { isAbsolute, join, sep } from 'node:path'
import { StorageError } from '../errors.ts'

const endings = new Map([
  ['joblib', 'joblib'],
  ['cloudpickle', 'pkl'],
  ['pickle', 'pkl'],
])

/** Below artifacts/, as the library names what it saves by content: two digits of the hash, then all of it. */
export const artifactPath = (sha256: string, format: string): string => `${sha256.slice(0, 2)}/${sha256}.${endings.get(format) ?? 'bin'}`

/** The file of a row; a store made by others must not lead outside of the folder. */
export const artifactFile = (root: string, path: string): string => {
  const folder = join(root, 'artifacts')
  const file = join(folder, path)
  if (!isAbsolute(path) && !path.includes('\\') && file.startsWith(folder + sep)) return file
  throw new StorageError('path_not_allowed', 'The store names a model outside of artifacts/. It was not read.', { path })
}
