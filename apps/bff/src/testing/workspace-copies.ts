import { existsSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeDemo } from '@nirs-workspace/demo'
import { runMigration } from '@nirs-workspace/storage'

const samples = fileURLToPath(new URL('../../../../../shared/workspaces', import.meta.url))

/** Whether the sample workspaces that nirs4all wrote are beside this checkout; tests that need them are left out, saying so, when not. */
export const hasSamples = existsSync(samples)
if (!hasSamples) process.stderr.write(`The sample workspaces are not at ${samples}; tests on them are passed over.\n`)

export const sampleFile = (name: string): string => join(samples, name)

const copies: string[] = []

const temporaryFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'nirs-ws-'))
  copies.push(folder)
  return folder
}

/** A copy of a sample workspace that may be changed. */
export const copySample = async (name: string): Promise<string> => {
  const target = join(await temporaryFolder(), name)
  await cp(join(samples, name), target, { recursive: true })
  return target
}

let demo: Promise<string> | undefined
let migrated: Promise<string> | undefined

/** A copy of a small legacy workspace of our own making, which every test can have. */
export const copyDemo = async (): Promise<string> => {
  demo ??= temporaryFolder().then(async (folder) => (await makeDemo({ directory: join(folder, 'demo'), size: 'tiny' })).path)
  const target = join(await temporaryFolder(), 'demo')
  await cp(await demo, target, { recursive: true })
  return target
}

/** The same workspace, migrated: the one that can be maintained. */
export const copyMigratedDemo = async (): Promise<string> => {
  migrated ??= copyDemo().then(async (path) => {
    await runMigration(path, { jobId: 'made' })
    return path
  })
  const target = join(await temporaryFolder(), 'demo')
  await cp(await migrated, target, { recursive: true, preserveTimestamps: true })
  return target
}

export const removeCopies = async (): Promise<void> => {
  await Promise.all(copies.splice(0).map((folder) => rm(folder, { recursive: true, force: true })))
  demo = undefined
  migrated = undefined
}
