import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { build } from 'rolldown'
import { bundleOf } from '../../scripts/built-entries.ts'

const sources = join(import.meta.dirname, 'children')
const folder = join(import.meta.dirname, '..', 'dist')

const buildAll = async (): Promise<void> => {
  const names = await readdir(sources)
  await build(bundleOf(Object.fromEntries(names.map((name) => [basename(name, '.ts'), join(sources, name)])), folder))
}

let built: Promise<void> | undefined

/** The file of a program of `children/`, built as the product's own processes are: what is measured is what a user has. */
export const builtChild = async (name: string): Promise<string> => {
  built ??= buildAll()
  await built
  return join(folder, `${name}.js`)
}
