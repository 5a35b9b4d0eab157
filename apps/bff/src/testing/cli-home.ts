import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { type CliResult, runCli } from './run-cli.ts'
import { removeCopies } from './workspace-copies.ts'

interface CliHome {
  /** The folder of caches and settings; there from the first test on. */
  readonly home: string
  /** Runs a verb with --json; standard output must be one JSON document and nothing else. */
  json(...parameters: string[]): Promise<CliResult & { answer: Record<string, unknown> }>
}

/** A home of its own for the commands of a test file. It goes after the last test, and so do the copies of workspaces. */
export const cliHome = (): CliHome => {
  let home = ''
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'nirs-home-'))
  })
  afterAll(async () => {
    await rm(home, { recursive: true, force: true })
    await removeCopies()
  })
  return {
    get home() {
      return home
    },
    json: async (...parameters) => {
      const result = await runCli([...parameters, '--json'], home)
      return { ...result, answer: JSON.parse(result.stdout) as Record<string, unknown> }
    },
  }
}
