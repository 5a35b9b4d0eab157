import type { Workspace } from '@nirs-workspace/types'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { ArrowRightLeft, HardDrive, LayoutDashboard, Settings2, ShieldCheck, Table2, Workflow } from 'lucide-react'
import { migrateStatusQuery } from '../../api/queries.ts'
import { migrationReport } from '../../api/reports.ts'
import { whyUnreadable } from '../../api/why-unreadable.ts'
import { isRunning, useWorkspaceJobs } from '../../api/workspace.tsx'
import { paths } from '../../paths.ts'
import { lastColumns } from '../../stores/last-columns.ts'
import { useText } from '../../text/text.tsx'
import type { PaletteEntry } from './palette-entry.ts'

/** The pages of the present workspace; without one there is none to show. */
export const usePageEntries = (workspace: Workspace | undefined): readonly PaletteEntry[] => {
  const { frame, settings, palette } = useText()
  const navigate = useNavigate()
  const migration = useMigrationUse(workspace)
  if (workspace === undefined) return []
  const settingsPage = { detail: frame.settings, leaves: true }
  const entries: PaletteEntry[] = [
    {
      id: 'overview',
      label: frame.overview,
      icon: LayoutDashboard,
      keys: 'g o',
      leaves: true,
      run: () => void navigate({ to: paths.overview }),
    },
    {
      id: 'predictions',
      label: frame.predictions,
      icon: Table2,
      keys: 'g p',
      leaves: true,
      run: () => void navigate({ to: paths.predictions, search: lastColumns() }),
    },
    { id: 'runs', label: frame.runs, icon: Workflow, keys: 'g r', leaves: true, run: () => void navigate({ to: paths.runs }) },
    {
      ...settingsPage,
      id: 'storage',
      label: settings.tabs.storage,
      icon: HardDrive,
      keys: 'g s',
      run: () => void navigate({ to: paths.storage }),
    },
  ]
  if (migration !== undefined)
    entries.push({
      ...settingsPage,
      id: 'migration',
      label: migration === 'report' ? palette.migrationReport : settings.tabs.migration,
      icon: ArrowRightLeft,
      run: () => void navigate({ to: paths.migration }),
    })
  entries.push({
    ...settingsPage,
    id: 'workspaces',
    label: settings.tabs.workspaces,
    icon: Settings2,
    run: () => void navigate({ to: paths.workspaces }),
  })
  return entries
}

/** What can be asked of the present workspace while no job is at work on it. */
export const useWorkspaceActions = (workspace: Workspace | undefined): readonly PaletteEntry[] => {
  const { storage, frame, palette } = useText()
  const navigate = useNavigate()
  const migration = useMigrationUse(workspace)
  const busy = useWorkspaceJobs(workspace?.id ?? '').some(isRunning)
  if (workspace?.exists !== true || busy || whyUnreadable(workspace) !== undefined) return []
  const entries: PaletteEntry[] = []
  if (migration === 'needed')
    entries.push({
      id: 'preview-migration',
      label: palette.previewMigration,
      icon: ArrowRightLeft,
      leaves: true,
      run: () => void navigate({ to: paths.migration, search: { step: 'review' } }),
    })
  entries.push({
    id: 'check',
    label: storage.check,
    detail: frame.settings,
    icon: ShieldCheck,
    leaves: true,
    run: () => void navigate({ to: paths.storage, hash: 'check' }),
  })
  return entries
}

/** What the migration page has to show for a workspace; undefined when that is nothing. */
const useMigrationUse = (workspace: Workspace | undefined): 'needed' | 'running' | 'report' | undefined => {
  const id = workspace?.id ?? ''
  const usable = workspace?.exists === true
  const { data: status } = useQuery({ ...migrateStatusQuery(id), enabled: usable })
  const jobs = useWorkspaceJobs(id)
  if (!usable) return undefined
  if (jobs.some((job) => job.kind !== 'verify' && isRunning(job))) return 'running'
  if (status === undefined) return undefined
  if (status.migration_needed) return 'needed'
  return status.last_report !== null || jobs.some((job) => migrationReport(job) !== undefined) ? 'report' : undefined
}
