import { execFile, spawnSync } from 'node:child_process'
import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { hashTree } from '../testing/hash-tree.ts'
import { makeStore, temporaryFolder } from '../testing/make-store.ts'

const isRoot = process.getuid?.() === 0
// Modes do not bind root; a mount does.
const canMount = isRoot && process.platform === 'linux' && spawnSync('unshare', ['-m', 'true']).status === 0

const moduleAt = (name: string) => JSON.stringify(pathToFileURL(join(import.meta.dirname, name)).href)
const script = `import { planMigration } from ${moduleAt('plan-migration.ts')}
import { runMigration } from ${moduleAt('run-migration.ts')}
const path = process.argv.at(-1)
const { warnings } = await planMigration(path)
const refused = await runMigration(path, { jobId: 'job' }).then(() => null, ({ code, message }) => ({ code, message }))
console.log(JSON.stringify({ warnings: warnings.filter(({ code }) => code === 'read_only'), refused }))`

/** What a plan of the workspace warns of, and what a migration is refused with, while `folder` cannot be written to. */
const whileReadOnly = async (folder: string, workspace: string): Promise<unknown> => {
  const node = [process.execPath, '--input-type=module', '-e', script, workspace] as const
  if (!canMount) await chmod(folder, 0o555)
  const mounted = ['-m', 'sh', '-c', 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"', 'sh', folder, ...node]
  try {
    const { stdout } = await (canMount ? promisify(execFile)('unshare', mounted) : promisify(execFile)(node[0], node.slice(1)))
    return JSON.parse(stdout)
  } finally {
    if (!canMount) await chmod(folder, 0o755)
  }
}

test.runIf(process.platform !== 'win32' && (canMount || !isRoot)).each([
  ['', 'The folder of the workspace cannot be written to'],
  ['arrays', 'The folder arrays of the workspace cannot be written to'],
])('a plan says of the folder "%s" that cannot be written to what the migration is refused for', async (name, said) => {
  await using scratch = await temporaryFolder()
  const path = join(scratch.path, 'w')
  await mkdir(join(path, 'arrays'), { recursive: true })
  await makeStore(join(path, 'store.duckdb'), { release: '0.7.1', predictions: [{ id: 'a' }] })
  const before = await hashTree(path)
  expect(await whileReadOnly(join(path, name), path)).toEqual({
    warnings: [{ code: 'read_only', detail: `${said}: the migration would be refused.`, count: 1, ids: [] }],
    refused: { code: 'read_only', message: `${said}. Nothing was changed.` },
  })
  expect(await hashTree(path)).toEqual(before)
})
