import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeOriginal } from './workspaces.ts'

/** Makes the demo workspaces once; they go when the tests are over. */
export default async function setUp(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'nirs-e2e-demos-'))
  process.env.NIRS_E2E_DEMOS = folder
  await makeOriginal('small')
  await makeOriginal('hundred-thousand')
  return () => rm(folder, { recursive: true, force: true })
}
