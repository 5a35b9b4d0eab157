import type { MetadataStore } from '../maintenance/metadata-store.ts'
import type { ModelFile } from './trash-manifest.ts'

/** Paths of those models that a row names: they are there by right. */
export const namedModels = async (metadata: MetadataStore, files: readonly ModelFile[]): Promise<ReadonlySet<string>> => {
  const named = new Set<string>()
  for (const { path } of files) if ((await metadata.keysWhere('artifacts', 'artifact_path', [path])).length > 0) named.add(path)
  return named
}
