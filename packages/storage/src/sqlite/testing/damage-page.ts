import { open } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'

/** Overwrites a page of the table or index of that name. */
export const damagePage = async (path: string, name: string): Promise<void> => {
  const database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = DELETE')
  const { rootpage } = database.prepare('SELECT rootpage FROM sqlite_master WHERE name = ?').get(name) ?? {}
  const { page_size } = database.prepare('PRAGMA page_size').get() ?? {}
  database.close()
  const file = await open(path, 'r+')
  await file.write(Buffer.alloc(Number(page_size), 0xee), 0, Number(page_size), (Number(rootpage) - 1) * Number(page_size))
  await file.close()
}
