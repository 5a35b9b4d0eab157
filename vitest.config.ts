import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { startBuilt } from './scripts/built-entries.ts'
import { LongestFirst } from './scripts/longest-first.ts'

const folders = ['packages/*/src', 'apps/bff/{src,test}']
const named = (ending: string) => folders.map((folder) => `${folder}/**/*${ending}`)

const node = {
  globalSetup: './scripts/build-server.ts',
  // Real engines and real files on a busy machine.
  testTimeout: 900_000,
  hookTimeout: 900_000,
  // The many short-lived processes of these tests start faster with their compiled code at hand.
  env: { NODE_COMPILE_CACHE: join(tmpdir(), 'nirs-workspace-compiled') },
}

/** What is exhaustive or slow: `npm test` leaves it out, `npm test -- --all` does not. */
const long = named('.long.test.ts')

export default defineConfig({
  // Two cores are the smallest machine that runs this; a third worker has them while the others wait for the disk. More only make each other late.
  test: {
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, plugins: [startBuilt()], test: { ...node, name: 'node', include: named('.test.ts'), exclude: long } },
      { extends: true, plugins: [startBuilt()], test: { ...node, name: 'long', include: long } },
      'apps/web',
    ],
  },
})
