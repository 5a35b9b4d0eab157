import * as z from 'zod'

export const chainBundleFormat = 'nirs-workspace/chain-bundle/1'

/** One stored model or transformer of a bundle. */
export const BundledArtifact = z.object({
  /** Name inside the bundle. */
  file: z.string(),
  type: z.string().nullable(),
  operator_class: z.string().nullable(),
  format: z.string().nullable(),
  bytes: z.number(),
  sha256: z.string(),
})
export type BundledArtifact = z.infer<typeof BundledArtifact>

/** manifest.json of a `.n4a`: the fields that nirs4all writes, then what makes the bundle checkable. */
export const ChainManifest = z.object({
  chain_id: z.string(),
  model_class: z.string(),
  model_step_index: z.number().nullable(),
  preprocessings: z.string(),
  fold_strategy: z.string().nullable(),
  has_refit: z.boolean(),
  exported_at: z.string(),
  format: z.literal(chainBundleFormat),
  model_name: z.string().nullable(),
  dataset_name: z.string().nullable(),
  pipeline_id: z.string().nullable(),
  run_id: z.string().nullable(),
  /** Artifact id to its file: the id says nothing about the name. */
  artifacts: z.record(z.string(), BundledArtifact),
  /** Ids that the chain names and the workspace has no file of. */
  missing: z.array(z.string()),
  warnings: z.array(z.string()),
  /** Every other file of the bundle but this one. */
  files: z.array(z.object({ path: z.string(), bytes: z.number(), sha256: z.string() })),
})
export type ChainManifest = z.infer<typeof ChainManifest>
