import { Menu } from '@base-ui/react/menu'
import type { Workspace, WorkspaceList } from '@nirs-workspace/types'
import { useNavigate } from '@tanstack/react-router'
import { Check, ChevronsUpDown, FolderOpen, Settings2 } from 'lucide-react'
import { useOpenWorkspace, useShowWorkspace } from '../../api/use-open-workspace.ts'
import { whyUnreadable } from '../../api/why-unreadable.ts'
import { paths } from '../../paths.ts'
import { useNow } from '../../stores/clock.ts'
import { showToast } from '../../stores/toast.ts'
import { useErrorText } from '../../text/error-text.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { menuItemClass, menuPopupClass } from '../../ui/menu.tsx'
import { ModeBadge } from '../../ui/mode-badge.tsx'
import { OpenByPath } from '../../ui/open-by-path.tsx'

interface SwitcherProps {
  readonly workspace: Workspace | undefined
  readonly list: WorkspaceList | undefined
  /** Whether the path of another workspace is asked for. */
  readonly asking: boolean
  readonly onAsking: (asking: boolean) => void
}

export const WorkspaceSwitcher = ({ workspace, list, asking, onAsking }: SwitcherProps) => {
  const { switcher } = useText()
  const errorText = useErrorText()
  const navigate = useNavigate()
  const show = useShowWorkspace()
  const open = useOpenWorkspace()
  const openRecent = (path: string): void => open.mutate(path, { onError: (error) => showToast('danger', errorText(error)) })
  const others = list?.recents.filter((recent) => !list.rows.some((row) => row.path === recent.path)).slice(0, 8) ?? []
  return (
    <>
      <Menu.Root>
        <Menu.Trigger
          title={workspace?.path}
          className="flex h-9 min-w-0 items-center gap-2 rounded-md border border-line px-2.5 hover:bg-hover data-popup-open:bg-hover"
        >
          <span className="sr-only">{switcher.label}:</span>
          <span className="min-w-0 truncate font-medium">{workspace?.name ?? '—'}</span>
          {workspace === undefined ? null : (
            <span className="max-[26rem]:hidden">
              <ModeBadge mode={workspace.storage_mode} />
            </span>
          )}
          {workspace === undefined ? null : <CatalogAge workspace={workspace} />}
          <ChevronsUpDown size={15} aria-hidden className="shrink-0 text-muted" />
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Positioner sideOffset={4} align="start" className="z-50 outline-none">
            <Menu.Popup className={`${menuPopupClass} w-96`}>
              <Menu.Group>
                <Menu.GroupLabel className="px-2.5 py-1.5 text-xs font-semibold text-muted">{switcher.open}</Menu.GroupLabel>
                {list?.rows.map((row) => (
                  <Menu.Item key={row.id} className={menuItemClass} onClick={() => show.mutate(row.id)}>
                    <span className="w-4 shrink-0">{row.id === workspace?.id ? <Check size={15} aria-hidden /> : null}</span>
                    <NameAndPath name={row.name} path={row.exists ? row.path : switcher.missing} />
                    <ModeBadge mode={row.storage_mode} />
                  </Menu.Item>
                ))}
              </Menu.Group>
              {others.length === 0 ? null : (
                <Menu.Group>
                  <Menu.GroupLabel className="px-2.5 py-1.5 text-xs font-semibold text-muted">{switcher.recent}</Menu.GroupLabel>
                  {others.map((recent) => (
                    <Menu.Item
                      key={recent.path}
                      disabled={!recent.exists}
                      className={menuItemClass}
                      onClick={() => openRecent(recent.path)}
                    >
                      <span className="w-4 shrink-0" />
                      <NameAndPath name={recent.name} path={recent.exists ? recent.path : switcher.missing} />
                    </Menu.Item>
                  ))}
                </Menu.Group>
              )}
              <Menu.Separator className="my-1 h-px bg-line" />
              <Menu.Item className={menuItemClass} onClick={() => onAsking(true)}>
                <FolderOpen size={16} aria-hidden /> {switcher.byPath}
              </Menu.Item>
              <Menu.Item className={menuItemClass} onClick={() => void navigate({ to: paths.workspaces })}>
                <Settings2 size={16} aria-hidden /> {switcher.manage}
              </Menu.Item>
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
      <Dialog open={asking} onClose={() => onAsking(false)} title={switcher.title}>
        <OpenByPath onOpened={() => onAsking(false)} />
      </Dialog>
    </>
  )
}

const NameAndPath = ({ name, path }: { name: string; path: string }) => (
  <span className="min-w-0 flex-1">
    <span className="block truncate">{name}</span>
    <span className="block truncate text-xs text-muted" title={path}>
      {path}
    </span>
  </span>
)

const CatalogAge = ({ workspace }: { workspace: Workspace }) => {
  const { catalog } = workspace
  const { frame } = useText()
  const format = useFormat()
  const now = useNow()
  const words =
    catalog.state === 'building'
      ? frame.catalogBuilding
      : catalog.state === 'failed'
        ? frame.catalogFailed
        : whyUnreadable(workspace) !== undefined
          ? frame.catalogUnreadable
          : catalog.built_at === null
            ? ''
            : frame.updated(format.ago(catalog.built_at, now))
  return (
    <span title={catalog.detail ?? undefined} className="text-xs whitespace-nowrap text-muted max-md:hidden">
      {words}
    </span>
  )
}
