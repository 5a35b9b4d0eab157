import type { MetadataStore } from '../maintenance/metadata-store.ts'
import type { ModelFile } from './trash-manifest.ts'

/** Paths of those models that a row names: they are there by right. */
export const namedModels = (metadata: MetadataStore, files: readonly Pick<ModelFile, 'path'>[]): Promise<ReadonlySet<string>> =>
  metadata.valuesIn(
    'artifacts',
    'artifact_path',
    files.map(({ path }) => path),
  )
