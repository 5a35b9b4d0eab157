import { Autocomplete } from '@base-ui/react/autocomplete'
import { Dialog } from '@base-ui/react/dialog'
import type { Workspace, WorkspaceList } from '@nirs-workspace/types'
import { Search, X } from 'lucide-react'
import { type ComponentProps, useRef, useState } from 'react'
import { longestSearch } from '../../lib/url-search.ts'
import { useText } from '../../text/text.tsx'
import { Keys } from '../../ui/keys.tsx'
import { findEntries, type PaletteEntry, type PaletteGroup } from './palette-entry.ts'
import { useAppEntries } from './use-app-entries.ts'
import { useDatasetEntries, useSearchEntry } from './use-data-entries.ts'
import { usePageEntries, useWorkspaceActions } from './use-page-entries.ts'
import { useWorkspaceEntries } from './use-workspace-entries.ts'

export interface PaletteProps {
  readonly workspace: Workspace | undefined
  readonly list: WorkspaceList | undefined
  readonly onPanel: (panel: 'jobs' | 'help' | 'path') => void
  readonly onClose: () => void
}

/** One field from which everything that can be done from anywhere is found by its name and done. */
export const PaletteDialog = (props: PaletteProps) => {
  const { palette, common } = useText()
  const [query, setQuery] = useState('')
  const input = useRef<HTMLInputElement>(null)
  const left = useRef(false)
  const [before] = useState(() => document.activeElement)
  const { groups, left: unlisted } = usePaletteEntries(props, query)
  const choose = (entry: PaletteEntry): void => {
    left.current = entry.leaves === true
    props.onClose()
    entry.run()
  }
  return (
    <Dialog.Root open onOpenChange={(open) => open || props.onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-black/45" />
        <Dialog.Popup
          initialFocus={input}
          finalFocus={() => !giveFocus(left.current ? document.getElementById('main') : before)}
          className="fixed top-[min(12dvh,8rem)] left-1/2 z-50 flex max-h-[min(34rem,80dvh)] w-[calc(100vw-1rem)] max-w-xl -translate-x-1/2 flex-col overflow-hidden rounded-xl border border-line bg-raised text-ink shadow-pop max-sm:top-2 max-sm:max-h-[calc(100dvh-1rem)]"
        >
          <Dialog.Title className="sr-only">{palette.title}</Dialog.Title>
          <Autocomplete.Root
            inline
            open
            items={groups}
            filter={null}
            value={query}
            onValueChange={setQuery}
            itemToStringValue={(entry: PaletteEntry) => entry.label}
            autoHighlight="always"
            keepHighlight
          >
            <div className="flex items-center gap-2 border-b border-line pr-1.5 pl-4">
              <Search size={17} aria-hidden className="shrink-0 text-muted" />
              <Autocomplete.Input
                ref={input}
                aria-label={palette.label}
                placeholder={palette.label}
                maxLength={longestSearch}
                spellCheck={false}
                onKeyDown={toEnds}
                className="h-12 min-w-0 flex-1 bg-transparent outline-none placeholder:text-muted"
              />
              <Dialog.Close
                aria-label={common.close}
                className="inline-flex size-9 shrink-0 items-center justify-center rounded-md text-muted hover:bg-hover hover:text-ink"
              >
                <X size={18} aria-hidden />
              </Dialog.Close>
            </div>
            <Autocomplete.List
              aria-label={palette.list}
              className="min-h-0 flex-1 scroll-py-8 overflow-y-auto overscroll-contain px-1.5 pb-1.5 empty:hidden"
            >
              {(group: PaletteGroup) => <Group key={group.name} group={group} onChoose={choose} />}
            </Autocomplete.List>
            <Found groups={groups} left={unlisted} />
          </Autocomplete.Root>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

/** Whether the focus is there now; of itself the dialog would look for something inside that can be reached by Tab. */
const giveFocus = (element: Element | null): boolean => {
  if (!(element instanceof HTMLElement) || !element.isConnected) return false
  element.focus()
  return true
}

const usePaletteEntries = ({ workspace, list, onPanel }: PaletteProps, query: string) => {
  const pages = usePageEntries(workspace)
  const actions = useWorkspaceActions(workspace)
  const workspaces = useWorkspaceEntries(workspace, list, () => onPanel('path'))
  const datasets = useDatasetEntries(workspace)
  const app = useAppEntries(onPanel)
  const search = useSearchEntry(workspace, query)
  const { groups, left } = findEntries(
    [
      { name: 'pages', items: pages },
      { name: 'datasets', items: datasets },
      { name: 'actions', items: [...actions, ...app] },
      { name: 'workspaces', items: workspaces },
    ],
    query,
  )
  // Whatever fits, the words themselves can be looked for too; last, so that Enter does what was named.
  return { groups: search === undefined ? groups : [...groups, { name: 'search' as const, items: [search] }], left }
}

const Group = ({ group, onChoose }: { group: PaletteGroup; onChoose: (entry: PaletteEntry) => void }) => {
  const { palette } = useText()
  return (
    <Autocomplete.Group items={group.items}>
      <Autocomplete.GroupLabel className="px-2.5 pt-2.5 pb-1 text-xs font-semibold text-muted">
        {palette.groups[group.name]}
      </Autocomplete.GroupLabel>
      <Autocomplete.Collection>
        {(entry: PaletteEntry) => (
          <Autocomplete.Item
            key={entry.id}
            value={entry}
            onClick={() => onChoose(entry)}
            className="flex min-h-9 items-center gap-2.5 rounded-md px-2.5 py-1.5 outline-none select-none data-highlighted:bg-selected"
          >
            <entry.icon size={16} aria-hidden className="shrink-0 text-muted" />
            <span className="flex min-w-0 flex-1 flex-wrap items-baseline gap-x-2">
              <span className="min-w-0 break-words">{entry.label}</span>
              {entry.detail === undefined ? null : <span className="min-w-0 truncate text-xs text-muted"> {entry.detail}</span>}
            </span>
            {entry.keys === undefined ? null : (
              <span aria-hidden className="flex gap-1 text-muted max-sm:hidden">
                <Keys keys={entry.keys} />
              </span>
            )}
          </Autocomplete.Item>
        )}
      </Autocomplete.Collection>
    </Autocomplete.Group>
  )
}

/** How many there are is said to those who cannot see the list; how many are not in it, to everybody. */
const Found = ({ groups, left }: { groups: readonly PaletteGroup[]; left: number }) => {
  const { palette } = useText()
  const shown = groups.reduce((sum, { items }) => sum + items.length, 0)
  return (
    <Autocomplete.Status className={left > 0 || shown === 0 ? 'border-t border-line px-4 py-2 text-xs text-muted' : 'sr-only'}>
      {shown === 0 ? palette.none : palette.found(shown)}
      {left === 0 ? '' : ` ${palette.more(left)}`}
    </Autocomplete.Status>
  )
}

type InputKeyDown = NonNullable<ComponentProps<typeof Autocomplete.Input>['onKeyDown']>

/**
 * Home and End go to the first and the last entry; with Shift or Ctrl they stay the field's. The highlight cannot be set from outside, but
 * it follows the pointer, so the entry is told of a movement over it.
 */
const toEnds: InputKeyDown = (event) => {
  if ((event.key !== 'Home' && event.key !== 'End') || event.ctrlKey || event.shiftKey || event.altKey || event.metaKey) return
  const list = document.getElementById(event.currentTarget.getAttribute('aria-controls') ?? '')
  const entries = [...(list?.querySelectorAll('[role=option]') ?? [])]
  const entry = event.key === 'Home' ? entries[0] : entries.at(-1)
  event.preventDefault()
  event.preventBaseUIHandler()
  entry?.dispatchEvent(new MouseEvent('mousemove', { bubbles: true, movementX: 1 }))
  entry?.scrollIntoView({ block: 'nearest' })
}
