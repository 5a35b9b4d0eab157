// Time to derive the catalog of a workspace, and to copy the bare metadata tables of the same store with plain SQL.
import { attachReadOnly, buildCatalog, resolveWorkspace, withEngine } from '@nirs-workspace/storage'
import { answer, childArgument } from './answer.ts'

const resolved = await resolveWorkspace(childArgument(0))
const cacheFolder = childArgument(1)

const copyStarted = performance.now()
await withEngine({}, async (engine) => {
  await attachReadOnly(engine, resolved.duckdb ?? '', 'store')
  for (const table of ['runs', 'pipelines', 'chains', 'predictions']) await engine.run(`CREATE TABLE ${table} AS FROM store.${table}`)
})
const buildStarted = performance.now()
await buildCatalog(resolved, { cacheFolder })
answer({ copy_ms: buildStarted - copyStarted, build_ms: performance.now() - buildStarted })
