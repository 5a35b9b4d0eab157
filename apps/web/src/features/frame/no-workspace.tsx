import type { WorkspaceList } from '@nirs-workspace/types'
import { FolderOpen } from 'lucide-react'
import type { ReactNode } from 'react'
import { useOpenWorkspace, useShowWorkspace } from '../../api/use-open-workspace.ts'
import { showToast } from '../../stores/toast.ts'
import { useErrorText } from '../../text/error-text.ts'
import { useText } from '../../text/text.tsx'
import { ModeBadge } from '../../ui/mode-badge.tsx'
import { OpenByPath } from '../../ui/open-by-path.tsx'
import { Message } from '../../ui/states.tsx'

/** Nothing to show: the workspaces there are to go on with, and a way to any other. */
export const NoWorkspace = ({ gone, list }: { gone: boolean; list: WorkspaceList }) => {
  const { noWorkspace, switcher } = useText()
  const errorText = useErrorText()
  const show = useShowWorkspace()
  const open = useOpenWorkspace()
  const onError = (error: Error): void => showToast('danger', errorText(error))
  const recents = list.recents.filter((recent) => !list.rows.some((row) => row.path === recent.path))
  return (
    <Message whole icon={FolderOpen} title={gone ? noWorkspace.gone : noWorkspace.title}>
      <Choices title={switcher.open} isEmpty={list.rows.length === 0}>
        {list.rows.map((row) => (
          <Choice key={row.id} {...row} isBusy={show.isPending} onChoose={() => show.mutate(row.id, { onError })}>
            <ModeBadge mode={row.storage_mode} />
          </Choice>
        ))}
      </Choices>
      <Choices title={switcher.recent} isEmpty={recents.length === 0}>
        {recents.map((recent) => (
          <Choice key={recent.path} {...recent} isBusy={open.isPending} onChoose={() => open.mutate(recent.path, { onError })} />
        ))}
      </Choices>
      <p className="mb-6">{noWorkspace.body}</p>
      <OpenByPath />
    </Message>
  )
}

const Choices = ({ title, isEmpty, children }: { title: string; isEmpty: boolean; children: ReactNode }) =>
  isEmpty ? null : (
    <section className="mb-6 text-left">
      <h2 className="mb-1 text-xs font-semibold">{title}</h2>
      <ul className="card max-h-72 divide-y divide-line overflow-y-auto">{children}</ul>
    </section>
  )

interface ChoiceProps {
  readonly name: string
  readonly path: string
  readonly exists: boolean
  readonly isBusy: boolean
  readonly onChoose: () => void
  readonly children?: ReactNode
}

const Choice = ({ name, path, exists, isBusy, onChoose, children }: ChoiceProps) => {
  const { switcher } = useText()
  return (
    <li>
      <button
        type="button"
        disabled={!exists || isBusy}
        onClick={onChoose}
        className="flex w-full items-center gap-3 px-3 py-2 text-left hover:bg-hover disabled:opacity-60"
      >
        <span className="min-w-0 flex-1">
          <span className="block font-medium break-words text-ink">{name}</span>
          <span className="block text-xs break-all">{exists ? path : switcher.missing}</span>
        </span>
        {children}
      </button>
    </li>
  )
}
