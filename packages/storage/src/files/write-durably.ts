import { randomUUID } from 'node:crypto'
import { dirname, join } from 'node:path'
import { rename, syncFolder, writeNewFile } from './disk.ts'

/** Replaces a small file as a whole: a reader, or a restart after a power cut, sees the old content or the new one. Half of it bears the name of its writer. */
export const writeDurably = async (path: string, data: string | Uint8Array, writer = `${process.pid}`): Promise<void> => {
  const folder = dirname(path)
  const beside = join(folder, `.${writer}-${randomUUID()}.tmp`)
  await writeNewFile(beside, data)
  await rename(beside, path)
  await syncFolder(folder)
}

/** As `writeDurably`, for plain data as JSON. */
export const writeJsonDurably = (path: string, value: unknown, writer?: string): Promise<void> =>
  writeDurably(path, `${JSON.stringify(value, null, 2)}\n`, writer)
