import type { MigrateStatus, WorkspaceStats } from '@nirs-workspace/types'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { migrateStatusQuery } from '../../api/queries.ts'
import { useWorkspace } from '../../api/workspace.tsx'
import { quotedPath } from '../../lib/command-line.ts'
import { paths } from '../../paths.ts'
import { useText } from '../../text/text.tsx'
import { buttonClass } from '../../ui/button.tsx'
import { CommandText } from '../../ui/notice.tsx'

/** Bytes under which no command is worth its while. */
const worthFreeing = 1e6

/** Which space can be had back, each part with the way to it. */
export const Freeable = ({ stats }: { stats: WorkspaceStats }) => {
  const { storage, migration, banner } = useText()
  const workspace = useWorkspace()
  const { data: status } = useQuery(migrateStatusQuery(workspace.id))
  if (status === undefined) return null
  const backup = status.backup_bytes ?? 0
  const idle = status.migration_needed ? 0 : stats.reclaimable_bytes
  const unused = idle < worthFreeing ? 0 : idle
  const saved = savedByMigration(status)
  return (
    <>
      {/* What a migration would save is an estimate, which its own line gives. */}
      {backup + unused > 0 ? <p className="text-muted">{storage.canFree(backup + unused)}</p> : null}
      {backup + unused + saved === 0 ? (
        <p className="text-muted">{idle === 0 ? storage.nothingToFree : storage.littleToFree(idle)}</p>
      ) : null}
      <ul className="grid grid-cols-1 gap-2 text-muted empty:hidden">
        {saved === 0 ? null : <Way to={banner.migrate}>{storage.freeByMigration(status.store_bytes, status.bytes_estimated ?? 0)}</Way>}
        {backup === 0 ? null : <Way to={migration.title}>{storage.freeBackup(backup)}</Way>}
        {unused === 0 ? null : (
          <Way>
            {storage.freeUnused(unused)} <CommandText>{`npm run -s cli -- compact ${quotedPath(workspace.path)}`}</CommandText>
          </Way>
        )}
      </ul>
    </>
  )
}

/** Once the original that is kept goes, too. */
const savedByMigration = ({ migration_needed, store_bytes, bytes_estimated }: MigrateStatus): number =>
  migration_needed && bytes_estimated !== null ? Math.max(0, store_bytes - bytes_estimated) : 0

/** `to`: the name of the link to the migration, where that is the way. */
const Way = ({ children, to }: { children: ReactNode; to?: string }) => (
  <li className="flex flex-wrap items-center gap-x-3 gap-y-1">
    <span className="min-w-0 flex-1 basis-72">{children}</span>
    {to === undefined ? null : (
      <Link to={paths.migration} className={buttonClass('plain')}>
        {to}
      </Link>
    )}
  </li>
)
