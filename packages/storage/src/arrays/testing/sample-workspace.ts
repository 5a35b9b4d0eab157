import { existsSync, readFileSync } from 'node:fs'
import { cp, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { buildCatalog } from '../../catalog/build-catalog.ts'
import type { CatalogFile } from '../../catalog/catalog-file.ts'
import { attachReadOnly } from '../../engine/attach-store.ts'
import { withEngine } from '../../engine/open-engine.ts'
import { resolveWorkspace } from '../../workspace/resolve-workspace.ts'
import type { ResolvedWorkspace } from '../../workspace/resolved-workspace.ts'

const folder = fileURLToPath(new URL('../../../../../../shared/workspaces', import.meta.url))

const Figures = z.object({
  datasets: z.record(z.string(), z.object({ predictions: z.number(), withArrayRow: z.number(), arraysSha256: z.string() })),
  samplePredictions: z.array(
    z.object({ predictionId: z.string(), metrics: z.record(z.string(), z.number()), arrays: z.record(z.string(), z.unknown()) }),
  ),
  sampleClassification: z.array(z.object({ predictionId: z.string(), metrics: z.record(z.string(), z.number()) })),
  migration: z.object({ stale: z.string(), duplicate: z.string() }).optional(),
})
export type ExpectedFigures = z.infer<typeof Figures>

const readExpected = (): Map<string, ExpectedFigures> => {
  const file = join(folder, 'expected.json')
  if (!existsSync(file)) return new Map()
  const { workspaces } = z.object({ workspaces: z.record(z.string(), Figures) }).parse(JSON.parse(readFileSync(file, 'utf8')))
  return new Map(Object.entries(workspaces))
}

/** What other software computed from the sample workspaces, by workspace; empty where the samples are not installed. */
export const expectedFigures = readExpected()
if (expectedFigures.size === 0) process.stderr.write('The sample workspaces are not installed: the cases that need them are passed over.\n')

export interface SampleWorkspace {
  resolved: ResolvedWorkspace
  catalog: { file: CatalogFile }
  predictions: readonly { prediction_id: string; dataset_name: string; array_source: string | null }[]
  /** A folder outside the workspace. */
  outside: string
  remove: () => Promise<void>
}

/** A copy of a sample workspace with its catalog. */
export const sampleWorkspace = async (name: string): Promise<SampleWorkspace> => {
  const outside = await realpath(await mkdtemp(join(tmpdir(), 'nirs-sample-')))
  const root = join(outside, 'workspace')
  await cp(join(folder, name), root, { recursive: true })
  const resolved = await resolveWorkspace(root)
  const file = await buildCatalog(resolved, { cacheFolder: join(outside, 'cache') })
  const predictions = await withEngine({}, async (engine) => {
    await attachReadOnly(engine, file.path, 'catalog')
    return engine.rows(
      z.object({ prediction_id: z.string(), dataset_name: z.string(), array_source: z.string().nullable() }),
      'SELECT prediction_id, dataset_name, array_source FROM catalog.main.predictions',
    )
  })
  return { resolved, catalog: { file }, predictions, outside, remove: () => rm(outside, { recursive: true, force: true }) }
}
