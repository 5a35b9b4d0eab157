import { artifactIdsOf } from '../bundles/chain-references.ts'
import type { MetadataStore, SavedRows } from '../maintenance/metadata-store.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import { counted } from '../workspace/counted-text.ts'
import { some } from '../workspace/find-missing-models.ts'
import { keysIn, readTrash } from './read-trash.ts'

/** What is said of models that chains name which come back, and that neither the store has nor what comes back with them. */
export const describeMissingModels = async (layout: Layout, metadata: MetadataStore, rows: readonly SavedRows[]): Promise<string[]> => {
  const named = await modelsByChain(metadata, rows)
  const coming = new Set(rows.filter(({ table }) => table === 'artifacts').flatMap(({ keys }) => keys))
  const wanted = [...new Set([...named.values()].flat())].filter((id) => !coming.has(id))
  const there = new Set(await metadata.keysWhere('artifacts', 'artifact_id', wanted))
  const missing = wanted.filter((id) => !there.has(id)).sort()
  if (missing.length === 0) return []
  const gone = new Set(missing)
  const chains = [...named].filter(([, ids]) => ids.some((id) => gone.has(id))).map(([chain]) => chain)
  const what = `${counted(missing.length, 'model', 'models')} (${some(missing)}) that ${counted(chains.length, 'chain names', 'chains name')} (${some(chains.sort())})`
  return [`${what} ${missing.length === 1 ? 'is' : 'are'} not there. ${await whereTheyAre(layout, missing)}`]
}

const modelsByChain = async (metadata: MetadataStore, rows: readonly SavedRows[]): Promise<ReadonlyMap<string, string[]>> => {
  const named = new Map<string, string[]>()
  for (const { table, keys, path } of rows) {
    if (table !== 'chains') continue
    const chosen = new Set(keys)
    for (const row of await metadata.readLinks(table, path, ['steps', 'fold_artifacts', 'shared_artifacts'])) {
      const [chain, text] = [row.get('chain_id') ?? '', (column: string) => row.get(column) ?? null]
      const texts = { steps: text('steps'), fold_artifacts: text('fold_artifacts'), shared_artifacts: text('shared_artifacts') }
      if (chosen.has(chain)) named.set(chain, artifactIdsOf(texts))
    }
  }
  return named
}

const whereTheyAre = async (layout: Layout, models: readonly string[]): Promise<string> => {
  let nowhere = [...models]
  const operations: string[] = []
  for (const part of await readTrash(layout)) {
    const found = new Set(keysIn(part, 'artifacts', nowhere))
    if (found.size > 0) operations.push(part.operation)
    nowhere = nowhere.filter((id) => !found.has(id))
  }
  const kept = operations.length === 0 ? '' : `To have what the trash holds of them, restore ${operations.join(' and ')} too.`
  const lost = nowhere.length === 0 ? '' : `In no operation of the trash: ${some(nowhere)}.`
  return `${kept} ${lost}`.trim()
}
