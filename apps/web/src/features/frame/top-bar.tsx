import type { Workspace, WorkspaceList } from '@nirs-workspace/types'
import { CircleHelp } from 'lucide-react'
import { useConnection } from '../../api/connection.ts'
import { useText } from '../../text/text.tsx'
import { IconButton } from '../../ui/button.tsx'
import { Palette, PaletteButton } from '../palette/palette.tsx'
import { HelpDialog } from './help-dialog.tsx'
import { JobButton } from './job-button.tsx'
import { JobDrawer } from './job-drawer.tsx'
import { LanguageMenu } from './language-menu.tsx'
import { ThemeMenu } from './theme-menu.tsx'
import type { Shortcuts } from './use-shortcuts.ts'
import { WorkspaceSwitcher } from './workspace-switcher.tsx'

interface TopBarProps {
  readonly workspace: Workspace | undefined
  readonly list: WorkspaceList | undefined
  readonly panels: Shortcuts
}

export const TopBar = ({ workspace, list, panels }: TopBarProps) => {
  const text = useText()
  const close = (): void => panels.setOpen(undefined)
  return (
    <header className="flex h-13 shrink-0 items-center gap-2 border-b border-line bg-surface px-3 max-sm:gap-1">
      <img src="/favicon.svg" alt="" className="size-7 max-[22rem]:hidden" />
      <span className="pr-2 font-semibold whitespace-nowrap max-md:sr-only">{text.frame.product}</span>
      <WorkspaceSwitcher
        workspace={workspace}
        list={list}
        asking={panels.open === 'path'}
        onAsking={(asking) => panels.setOpen(asking ? 'path' : undefined)}
      />
      <div className="flex-1" />
      <Offline />
      <PaletteButton onOpen={() => panels.setOpen('palette')} />
      <JobButton onOpen={() => panels.setOpen('jobs')} />
      <LanguageMenu />
      <ThemeMenu />
      <IconButton label={`${text.frame.help} (?)`} onClick={() => panels.setOpen('help')}>
        <CircleHelp size={18} aria-hidden />
      </IconButton>
      <HelpDialog open={panels.open === 'help'} onClose={close} />
      <JobDrawer open={panels.open === 'jobs'} onClose={close} />
      {panels.open === 'palette' ? <Palette workspace={workspace} list={list} onPanel={panels.setOpen} onClose={close} /> : null}
    </header>
  )
}

/** A quiet dot while live updates do not arrive although the server answers; pages then ask by themselves. */
const Offline = () => {
  const text = useText()
  if (useConnection() !== 'asking') return null
  return (
    <span role="status" title={text.frame.offline} className="size-2 shrink-0 rounded-full border border-line-strong">
      <span className="sr-only">{text.frame.offline}</span>
    </span>
  )
}
