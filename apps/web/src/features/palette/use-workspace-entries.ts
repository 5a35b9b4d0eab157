import type { Workspace, WorkspaceList } from '@nirs-workspace/types'
import { FolderOpen, History, Layers } from 'lucide-react'
import { useOpenWorkspace, useShowWorkspace } from '../../api/use-open-workspace.ts'
import { showToast } from '../../stores/toast.ts'
import { useErrorText } from '../../text/error-text.ts'
import { useText } from '../../text/text.tsx'
import type { PaletteEntry } from './palette-entry.ts'

/** The other workspaces that are open, those that were lately, and the way to any folder. */
export const useWorkspaceEntries = (
  workspace: Workspace | undefined,
  list: WorkspaceList | undefined,
  askPath: () => void,
): readonly PaletteEntry[] => {
  const { switcher } = useText()
  const errorText = useErrorText()
  const show = useShowWorkspace()
  const open = useOpenWorkspace()
  const rows = list?.rows ?? []
  const recents = (list?.recents ?? []).filter((recent) => recent.exists && !rows.some((row) => row.path === recent.path))
  const opened = rows.filter((row) => row.exists && row.id !== workspace?.id)
  const tell = (error: unknown): void => showToast('danger', errorText(error))
  // The palette is gone before the server answers, so what goes wrong is told here and not by the mutation's own listener.
  return [
    ...opened.map(({ id, name, path }) => ({
      id: `workspace ${id}`,
      label: name,
      detail: path,
      icon: Layers,
      leaves: true,
      run: () => void show.mutateAsync(id).catch(tell),
    })),
    ...recents.map(({ name, path }) => ({
      id: `recent ${path}`,
      label: name,
      detail: path,
      icon: History,
      leaves: true,
      run: () => void open.mutateAsync(path).catch(tell),
    })),
    { id: 'open-path', label: switcher.byPath, more: switcher.title, icon: FolderOpen, run: askPath },
  ]
}
