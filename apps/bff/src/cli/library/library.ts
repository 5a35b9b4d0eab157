import type { Command } from 'commander'
import { addLibraryCopy } from './copy.ts'
import { addLibraryDelete } from './delete.ts'
import { addLibraryEmptyTrash } from './empty-trash.ts'
import { addLibraryExport } from './export.ts'
import { addLibraryImport } from './import.ts'
import { addLibraryList } from './list.ts'
import { addLibraryRestore } from './restore.ts'
import { addLibrarySave } from './save.ts'
import { addLibraryShow } from './show.ts'
import { addLibraryTrash } from './trash.ts'

const verbs = [
  addLibraryList,
  addLibraryShow,
  addLibrarySave,
  addLibraryCopy,
  addLibraryImport,
  addLibraryExport,
  addLibraryDelete,
  addLibraryTrash,
  addLibraryRestore,
  addLibraryEmptyTrash,
]

export const addLibrary = (program: Command): void => {
  const library = program.command('library').description('templates of pipelines that a workspace keeps: library VERB')
  for (const addVerb of verbs) addVerb(library)
}
