import { fingerprintWorkspace } from '../workspace/fingerprint-workspace.ts'
import { namesIn } from '../workspace/look-at.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { byAge } from './build-folder.ts'
import { type CatalogFile, type CatalogOptions, catalogFolder, parseCatalogName, workspaceKey } from './catalog-file.ts'

/** The catalog of the workspace as it is now, and the last one made whatever its state; both undefined before the first. Stats only. */
export const findCatalog = async (
  resolved: ResolvedWorkspace,
  options: CatalogOptions = {},
): Promise<{ fresh: CatalogFile | undefined; last: CatalogFile | undefined }> => {
  const folder = catalogFolder(options)
  const key = workspaceKey(resolved)
  const fingerprint = await fingerprintWorkspace(resolved)
  const names = (await namesIn(folder)).filter((name) => parseCatalogName(name)?.key === key)
  const files = (await byAge(folder, names)).map(
    ({ name, path, time }): CatalogFile => ({
      path,
      fingerprint: parseCatalogName(name)?.fingerprint ?? '',
      built_at: new Date(time).toISOString(),
    }),
  )
  const fresh = files.find((file) => file.fingerprint === fingerprint)
  return { fresh, last: fresh ?? files[0] }
}
