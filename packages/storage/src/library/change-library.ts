import { withCodedErrors } from './library-error.ts'
import { ensureFolder, locateLibrary } from './library-folder.ts'
import { type LibraryContent, scanLibrary } from './scan-library.ts'
import { sweepLeftovers } from './sweep-leftovers.ts'

/** The last change of each library in this process: the next one begins when it has ended. */
const lastChange = new Map<string, Promise<unknown>>()

/**
 * Runs one change after the other within this process. Leftovers of a change that was cut short are put right first. Between processes
 * no lock is needed: every change becomes visible by one rename, which fails when somebody else was faster.
 */
export const changeLibrary = async <T>(workspace: string, work: (library: LibraryContent) => Promise<T>): Promise<T> => {
  const root = await locateLibrary(workspace)
  const before = lastChange.get(root)
  const change = afterwards(before, () => withCodedErrors(root, () => prepareAndRun(workspace, root, work)))
  lastChange.set(root, change)
  try {
    return await change
  } finally {
    if (lastChange.get(root) === change) lastChange.delete(root)
  }
}

const afterwards = async <T>(before: Promise<unknown> | undefined, work: () => Promise<T>): Promise<T> => {
  if (before !== undefined) await Promise.allSettled([before])
  return work()
}

const prepareAndRun = async <T>(workspace: string, root: string, work: (library: LibraryContent) => Promise<T>): Promise<T> => {
  await ensureFolder(root)
  const found = await scanLibrary(workspace)
  const swept = await sweepLeftovers(root, found)
  return work(swept ? await scanLibrary(workspace) : found)
}
