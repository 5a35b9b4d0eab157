import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const entry = fileURLToPath(new URL('./tree-hash-child.ts', import.meta.url))

/**
 * Names, times of change and bytes of everything below a folder, as one text. Read in a process of its own: closing a store's file here
 * would drop the lock that an engine of this process holds on it.
 */
export const treeHash = (folder: string): string => execFileSync(process.execPath, [entry, folder], { encoding: 'utf8' })
