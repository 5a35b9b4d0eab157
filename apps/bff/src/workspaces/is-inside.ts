import { sep } from 'node:path'

/** Whether a path is this folder or lies in it, by their names; both without links. */
export const isInside = (folder: string, path: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
