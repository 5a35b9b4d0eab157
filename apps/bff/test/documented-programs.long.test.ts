import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { copyDemo, removeCopies } from '../src/testing/workspace-copies.ts'

const page = fileURLToPath(new URL('../../../docs/storage-library.md', import.meta.url))
const library = new URL('../../../packages/storage/src/index.ts', import.meta.url).href

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nirs-programs-'))
  await rename(await copyDemo(), join(folder, 'demo'))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
  await removeCopies()
})

/** Programs of the page, each with what the page says that it prints. */
const documented = async (): Promise<{ program: string; printed: string }[]> =>
  [...(await readFile(page, 'utf8')).matchAll(/```js\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g)].map(([, program = '', printed = '']) => ({
    program,
    printed,
  }))

const run = async (program: string): Promise<string> => {
  const file = join(folder, 'program.mjs')
  await writeFile(file, program.replace("'@nirs-workspace/storage'", `'${library}'`))
  const env = { ...process.env, HOME: folder, XDG_CACHE_HOME: join(folder, 'cache'), LOCALAPPDATA: join(folder, 'cache') }
  return (await promisify(execFile)(process.execPath, ['--no-warnings', file], { cwd: folder, env })).stdout
}

test('the programs of docs/storage-library.md print what it says, one after the other', async () => {
  const programs = await documented()
  expect(programs).toHaveLength(((await readFile(page, 'utf8')).match(/^```js$/gm) ?? []).length)
  const printed: string[] = []
  for (const { program } of programs) printed.push(await run(program))
  expect(printed).toEqual(programs.map((one) => one.printed))
})
