import { artifactIdsOf, type ChainTexts } from '../bundles/chain-references.ts'
import { counted } from './counted-text.ts'
import type { InspectionFinding } from './finding.ts'

/** Models that chains name and of which the store has no row: where their files would be is unknown then, and the chains cannot be used. */
export const findMissingModels = (
  chains: readonly (ChainTexts & { readonly chain_id: string })[],
  known: ReadonlySet<string>,
): InspectionFinding[] => {
  const missing = new Set<string>()
  const needing = new Set<string>()
  for (const chain of chains) {
    for (const id of artifactIdsOf(chain)) {
      if (known.has(id)) continue
      missing.add(id)
      needing.add(chain.chain_id)
    }
  }
  if (missing.size === 0) return []
  const [ids, named] = [[...missing].sort(), [...needing].sort()]
  const what = counted(ids.length, 'model that chains name has no row in the store', 'models that chains name have no row in the store')
  const who = counted(named.length, 'chain needs', 'chains need')
  const detail = `${what}: ${some(ids)}. ${who} them: ${some(named)}.`
  return [{ code: 'missing_artifact_rows', severity: 'warning', count: ids.length, detail, ids: ids.slice(0, 100) }]
}

/** The first names, and how many more there are. */
export const some = (names: readonly string[]): string =>
  names.length <= 3 ? names.join(', ') : `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`
