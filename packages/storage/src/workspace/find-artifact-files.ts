import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { systemCode } from '../errors.ts'
import { counted } from './counted-text.ts'
import { findMissingModels } from './find-missing-models.ts'
import type { InspectionFinding } from './finding.ts'
import type { ResolvedWorkspace } from './resolved-workspace.ts'

const text = z.string().nullable()
const Chain = z.object({ chain_id: z.string(), steps: text, fold_artifacts: text, shared_artifacts: text })

/**
 * Models that chains name without a row of theirs, artifact rows whose file is missing, and files without a row. The last two are no damage
 * in themselves: releases from 0.8.1 on note models of losing variants that they never write, and write some that they never note.
 */
export const findArtifactFiles = async (resolved: ResolvedWorkspace, catalog: Engine): Promise<InspectionFinding[]> => {
  if (resolved.kind === 'portable') return []
  const rows = await catalog.rows(
    z.object({ id: z.string(), path: z.string() }),
    'SELECT artifact_id AS id, artifact_path AS path FROM catalog.artifacts ORDER BY artifact_id',
  )
  const files = new Set(await filesBelow(join(resolved.root, 'artifacts'), ''))
  const ids = new Set(rows.map(({ id }) => id))
  const known = new Set(rows.map(({ path }) => path))
  const missing = rows.filter(({ path }) => !files.has(path))
  const unreferenced = [...files].filter((file) => !known.has(file))
  const findings = findMissingModels(await catalog.rows(Chain, `SELECT ${Object.keys(Chain.shape).join(', ')} FROM catalog.chains`), ids)
  if (missing.length > 0) {
    const detail = `${missing.length} of ${counted(rows.length, 'artifact row', 'artifact rows')} ${missing.length === 1 ? 'names' : 'name'} a file that is not in artifacts/.`
    findings.push({
      code: 'missing_artifact_files',
      severity: 'info',
      count: missing.length,
      detail,
      ids: missing.slice(0, 100).map(({ id }) => id),
    })
  }
  if (unreferenced.length > 0) {
    const detail = `${counted(unreferenced.length, 'file in artifacts/ is', 'files in artifacts/ are')} named by no row.`
    findings.push({ code: 'unreferenced_artifact_files', severity: 'info', count: unreferenced.length, detail })
  }
  return findings
}

const filesBelow = async (folder: string, inside: string): Promise<string[]> => {
  const files: string[] = []
  for (const entry of await entriesOf(folder)) {
    if (entry.isDirectory()) files.push(...(await filesBelow(join(folder, entry.name), `${inside}${entry.name}/`)))
    else if (entry.isFile()) files.push(`${inside}${entry.name}`)
  }
  return files
}

const entriesOf = async (folder: string) => {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return []
    throw error
  }
}
