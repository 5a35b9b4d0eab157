import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** For tests: a folder to play in, with a workspace inside it and a file beside the workspace that nothing may touch. */
export const withPlayground = async <T>(play: (place: { folder: string; workspace: string }) => Promise<T>): Promise<T> => {
  const folder = await mkdtemp(join(tmpdir(), 'library-'))
  try {
    await mkdir(join(folder, 'workspace'))
    await writeFile(join(folder, 'beside.txt'), 'untouched')
    return await play({ folder, workspace: join(folder, 'workspace') })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Every file below a folder, by its relative path, with its text. Folders end with `/`. */
export const readAll = async (folder: string): Promise<Map<string, string>> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const found = new Map<string, string>()
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    const name = path.slice(folder.length + 1)
    found.set(entry.isDirectory() ? `${name}/` : name, entry.isFile() ? await readFile(path, 'utf8') : '')
  }
  return found
}

/** As `PipelineLibrary.save_template` of nirs4all 0.8.1 leaves it: no hash, microseconds, `json.dump(indent=2)`. */
export const writeLikeNirs4all = async (
  workspace: string,
  category: string,
  folder: string,
  name: string,
  pipeline: string,
): Promise<string> => {
  const path = join(workspace, 'library', category, folder)
  await mkdir(path, { recursive: true })
  await writeFile(join(path, 'pipeline.json'), pipeline)
  const metadata = {
    name,
    category,
    description: 'written by the library',
    tags: ['nirs', 'pls'],
    metrics: { rmse: 0.42 },
    notes: '',
    created_at: '2026-02-05T10:11:12.131415',
    modified_at: '2026-02-05T10:11:12.131415',
    version: '1.0',
  }
  await writeFile(join(path, 'metadata.json'), JSON.stringify(metadata, null, 2))
  await writeFile(join(path, 'README.md'), `# ${name}\n`)
  return path
}
