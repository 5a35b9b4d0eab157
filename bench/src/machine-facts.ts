import { cpus, totalmem } from 'node:os'
import { withEngine } from '@nirs-workspace/storage'
import * as z from 'zod'

const Version = z.object({ version: z.string() })

/** What the figures depend on, without anything that names the machine. */
export const machineFacts = async (): Promise<string> => {
  const { version } = await withEngine({}, (engine) => engine.one(Version, 'SELECT version() AS version'))
  const processors = cpus()
  const model = processors[0]?.model.trim() || 'processor of unknown model'
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${processors.length} × ${model}, ${memory} GiB of memory, ${process.platform} ${process.arch}, Node ${process.versions.node}, DuckDB ${version}`
}
