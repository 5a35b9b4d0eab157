import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StartJobProcess } from '../jobs/job-process.ts'
import { createLog } from '../log.ts'
import { createDeps, type DepsOptions, type Services } from '../server/create-deps.ts'

export interface TestServices {
  services: Services
  folder: string
  /** Lines of the log. */
  logged: string[]
  close(): Promise<void>
}

/** Everything behind a server, with its own empty home in a temporary folder. */
export const makeTestServices = async (options: Partial<DepsOptions> & { startJob?: StartJobProcess } = {}): Promise<TestServices> => {
  const folder = await mkdtemp(join(tmpdir(), 'nirs-bff-'))
  const logged: string[] = []
  const services = createDeps({
    folders: { cache: join(folder, 'cache'), config: join(folder, 'config'), state: join(folder, 'state') },
    log: createLog((line) => logged.push(line), true),
    ...options,
  })
  return {
    services,
    folder,
    logged,
    close: async () => {
      await services.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
