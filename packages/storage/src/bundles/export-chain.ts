import { createHash } from 'node:crypto'
import { makeZip } from 'client-zip'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { type ExportContext, openExportEngine } from '../export/export-context.ts'
import { caseless, safeStem } from '../export/export-names.ts'
import { allowedTarget, describeFile, writeBeside } from '../export/export-target.ts'
import { writePieces } from '../export/write-stream.ts'
import { checkGiven } from '../options/check-options.ts'
import { flag, optionsOf, text } from '../options/option-schemas.ts'
import { type OpenArtifact, openArtifact, readPinned, statedHash } from './artifact-files.ts'
import { type ChainManifest, chainBundleFormat } from './chain-manifest.ts'
import { type ArtifactRow, type ChainRow, readChain } from './read-chain.ts'

export interface ChainExport {
  readonly chain_id: string
  /** A new or existing file outside the workspace; it appears whole or not at all. */
  readonly target: string
  /** Write the bundle although models are missing, naming them. Default: refuse. */
  readonly allowMissing?: boolean | undefined
}

export interface ChainExported {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
  readonly manifest: ChainManifest
}

/** A file of the bundle, with how to read it. */
interface Entry {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
  readonly read: () => AsyncIterable<Uint8Array>
}

const Request = optionsOf<ChainExport>({ chain_id: text, target: text, allowMissing: flag })

/**
 * Writes a chain with its models as a `.n4a`: a ZIP of manifest.json, chain.json (as nirs4all has it), lineage.json (run and pipeline) and
 * artifacts/. Every file is hashed in the manifest, and each model compared with the hash that its row states. Throws `chain_not_found`,
 * `artifact_missing`, `artifact_corrupt`, `path_not_allowed`, `no_space`, `write_failed`.
 */
export const exportChain = async (context: ExportContext, request: ChainExport): Promise<ChainExported> => {
  checkGiven(Request, request, 'the request')
  const target = await allowedTarget(context.resolved.root, request.target)
  const engine = await openExportEngine(context)
  const open: OpenArtifact[] = []
  try {
    const { manifest, entries } = await collect(engine, context.resolved.root, request, open)
    await writeBeside(target, (beside) => writePieces(beside, zipPieces(manifest, entries)))
    return { path: target, ...(await describeFile(target)), manifest }
  } finally {
    for (const { pinned } of open) await pinned.close()
    engine.close()
  }
}

const collect = async (engine: Engine, root: string, request: ChainExport, open: OpenArtifact[]) => {
  const { chain, artifacts, unknown, warnings } = await readChain(engine, request.chain_id)
  const missing = [...unknown]
  const bundled: ChainManifest['artifacts'] = {}
  const models = new Map<string, Entry>()
  for (const row of artifacts) {
    const file = await openArtifact(root, row.artifact_path)
    if (file === null) missing.push(row.artifact_id)
    else {
      open.push(file)
      requireStated(row, file)
      const path = freeName(models, row, file.sha256)
      models.set(path, { path, bytes: file.bytes, sha256: file.sha256, read: () => readPinned(file.pinned) })
      const { artifact_type: type, operator_class, format } = row
      Object.defineProperty(bundled, row.artifact_id, {
        value: { file: path, type, operator_class, format, bytes: file.bytes, sha256: file.sha256 },
        enumerable: true,
      })
    }
  }
  if (missing.length > 0 && request.allowMissing !== true) throw incomplete(request.chain_id, missing)
  const entries = [textEntry('chain.json', chain.chain_json), textEntry('lineage.json', chain.lineage_json), ...models.values()]
  const files = entries.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 }))
  return { manifest: { ...headOf(chain), artifacts: bundled, missing, warnings, files } satisfies ChainManifest, entries }
}

const headOf = (chain: ChainRow) =>
  ({
    chain_id: chain.chain_id,
    model_class: chain.model_class,
    model_step_index: chain.model_step_idx,
    preprocessings: chain.preprocessings,
    fold_strategy: chain.has_refit ? 'single_refit' : chain.fold_strategy,
    has_refit: chain.has_refit,
    exported_at: new Date().toISOString(),
    format: chainBundleFormat,
    model_name: chain.model_name,
    dataset_name: chain.dataset_name,
    pipeline_id: chain.pipeline_id,
    run_id: chain.run_id,
  }) as const

async function* zipPieces(manifest: ChainManifest, entries: readonly Entry[]): AsyncGenerator<Uint8Array> {
  const lastModified = new Date(manifest.exported_at)
  const all = [textEntry('manifest.json', `${JSON.stringify(manifest, null, 2)}\n`), ...entries]
  const inputs = (function* () {
    for (const { path, bytes, read } of all) yield { name: path, size: bytes, lastModified, input: read() }
  })()
  const reader = makeZip(inputs, { buffersAreUTF8: true }).getReader()
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) yield piece.value
  } finally {
    await reader.cancel()
  }
}

const textEntry = (path: string, text: string): Entry => {
  const bytes = Buffer.from(text)
  const read = async function* () {
    yield bytes
  }
  return { path, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex'), read }
}

/** The file's own name, as nirs4all looks for it, where every system takes it as one; if that is taken by other bytes, with their hash before it. */
const freeName = (models: ReadonlyMap<string, Entry>, { artifact_path }: ArtifactRow, sha256: string): string => {
  const name = safeStem(artifact_path.split(/[\\/]/).at(-1) ?? '')
  const taken = new Map([...models.values()].map((entry) => [caseless(entry.path), entry]))
  for (let number = 0; ; number++) {
    const path = `artifacts/${['', `${sha256.slice(0, 16)}_`, `${sha256}_${number}_`][Math.min(number, 2)]}${name}`
    const other = taken.get(caseless(path))
    if (other === undefined) return path
    if (other.sha256 === sha256) return other.path
  }
}

const requireStated = ({ artifact_id, artifact_path, content_hash }: ArtifactRow, { sha256 }: OpenArtifact): void => {
  const stated = statedHash(content_hash)
  if (stated === null || stated === sha256) return
  throw new StorageError(
    'artifact_corrupt',
    `artifacts/${artifact_path} is not the file that the store knows as ${artifact_id}. Nothing was written.`,
    {
      path: artifact_path,
      ids: [artifact_id],
      hint: 'Restore the file from a backup.',
    },
  )
}

const incomplete = (chain: string, ids: readonly string[]) =>
  new StorageError('artifact_missing', `The chain "${chain}" needs ${ids.length} stored models that are not there. Nothing was written.`, {
    ids,
    hint: 'nirs4all does not keep the models of losing variants: choose a chain that was refitted, or export without the missing ones.',
  })
