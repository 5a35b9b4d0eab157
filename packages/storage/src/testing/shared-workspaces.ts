import { existsSync, readFileSync } from 'node:fs'
import { chmod, cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import * as z from 'zod'

/** Workspaces written by releases of nirs4all: `../shared/workspaces` beside the repository, or absent. */
const folder = resolve(import.meta.dirname, '../../../../../shared/workspaces')

export const sharedWorkspaceNames = [
  'crashed-wal',
  'damaged-lost-arrays',
  'empty-new',
  'hybrid-0.8.1',
  'legacy-0.7.0',
  'legacy-0.7.1',
  'mid-migration',
  'sqlite-0.11',
  'sqlite-0.9.4',
] as const
export type SharedWorkspaceName = (typeof sharedWorkspaceNames)[number]

const ExpectedDataset = z.looseObject({ predictions: z.number(), withArrayRow: z.number(), refit: z.number(), aggTwins: z.number() })
const ExpectedWorkspace = z.looseObject({
  state: z.string(),
  tables: z.record(z.string(), z.number()),
  datasets: z.record(z.string(), ExpectedDataset),
})
export type ExpectedWorkspace = z.infer<typeof ExpectedWorkspace>

let announced = false

/** Whether the shared workspaces are there; says so once when they are not, so that nobody takes passed-over cases for passed ones. */
export const hasSharedWorkspaces = (): boolean => {
  if (existsSync(join(folder, 'expected.json'))) return true
  if (!announced) process.stderr.write(`No ${folder}: tests on workspaces written by nirs4all are passed over.\n`)
  announced = true
  return false
}

/** What `expected.json` says of a workspace. Further fields are there, unchecked. */
export const expectedWorkspace = (name: SharedWorkspaceName): ExpectedWorkspace => {
  const file = z
    .object({ workspaces: z.record(z.string(), ExpectedWorkspace) })
    .parse(JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')))
  const expected = file.workspaces[name]
  if (expected === undefined) throw new Error(`expected.json knows no ${name}`)
  return expected
}

export interface WorkspaceCopy extends AsyncDisposable {
  readonly path: string
  remove(): Promise<void>
}

/** A writable copy of a shared workspace in a temporary folder; remove it afterwards (or use `await using`). */
export const copyWorkspace = async (name: SharedWorkspaceName): Promise<WorkspaceCopy> => {
  const parent = await mkdtemp(join(tmpdir(), 'nirs-workspace-test-'))
  const path = join(parent, name)
  await cp(join(folder, name), path, { recursive: true, preserveTimestamps: true })
  await makeWritable(path)
  const remove = () => rm(parent, { recursive: true, force: true })
  return { path, remove, [Symbol.asyncDispose]: remove }
}

const makeWritable = async (path: string): Promise<void> => {
  await chmod(path, 0o755)
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeWritable(join(path, entry.name))
    else await chmod(join(path, entry.name), 0o644)
  }
}
