import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { forgetWorkspace } from '../../api/actions.ts'
import { workspacesQuery } from '../../api/queries.ts'
import { useOpenWorkspace, useShowWorkspace } from '../../api/use-open-workspace.ts'
import { useWorkspace } from '../../api/workspace.tsx'
import { useNow } from '../../stores/clock.ts'
import { showToast } from '../../stores/toast.ts'
import { useErrorText } from '../../text/error-text.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { ModeBadge } from '../../ui/mode-badge.tsx'
import { OpenByPath } from '../../ui/open-by-path.tsx'
import { Card } from '../../ui/page.tsx'

export const WorkspacesPage = () => {
  const { workspaces, switcher } = useText()
  return (
    <div className="grid grid-cols-1 gap-5">
      <Card title={switcher.title}>
        <OpenByPath />
      </Card>
      <Card title={switcher.open}>
        <OpenWorkspaces />
      </Card>
      <Card title={workspaces.recents}>
        <Recents />
      </Card>
    </div>
  )
}

const OpenWorkspaces = () => {
  const { workspaces, switcher, common, frame } = useText()
  const errorText = useErrorText()
  const current = useWorkspace()
  const client = useQueryClient()
  const navigate = useNavigate()
  const { data } = useQuery(workspacesQuery())
  const show = useShowWorkspace()
  const forget = useMutation({
    mutationFn: forgetWorkspace,
    onSuccess: async (_, id) => {
      // The address still asks for it: first to another one, else the list without it says that it is gone.
      const others = data?.rows.filter((row) => row.id !== id) ?? []
      const next = others.find((row) => row.current) ?? others[0]
      const leave = () => navigate({ to: '.', search: (before) => ({ ...before, workspace: next?.id }), replace: true })
      if (id === current.id && next !== undefined) await leave()
      await client.invalidateQueries(workspacesQuery())
      if (id === current.id && next === undefined) await leave()
      showToast('success', workspaces.forgotten)
    },
    onError: (error) => showToast('danger', errorText(error)),
  })
  return (
    <ul className="divide-y divide-line">
      {data?.rows.map((row) => (
        <li key={row.id} className="flex flex-wrap items-center gap-3 py-2">
          <div className="min-w-48 flex-1">
            <p className="flex items-center gap-2 font-medium">
              {row.name} <ModeBadge mode={row.storage_mode} /> {row.id === current.id ? <Badge>{workspaces.current}</Badge> : null}
              {row.exists ? null : <Badge tone="danger">{switcher.missing}</Badge>}
            </p>
            <p className="text-xs break-all text-muted">
              {row.path} · {row.counts === null ? frame.catalogBuilding : common.predictions(row.counts.predictions)}
            </p>
          </div>
          {row.id === current.id ? null : <Button onClick={() => show.mutate(row.id)}>{workspaces.switchTo}</Button>}
          <Button tone="quiet" title={workspaces.forgetHint} disabled={forget.isPending} onClick={() => forget.mutate(row.id)}>
            {workspaces.forget}
          </Button>
        </li>
      ))}
    </ul>
  )
}

const Recents = () => {
  const { workspaces, switcher } = useText()
  const errorText = useErrorText()
  const format = useFormat()
  const now = useNow()
  const { data } = useQuery(workspacesQuery())
  const open = useOpenWorkspace()
  const others = data?.recents.filter((recent) => !data.rows.some((row) => row.path === recent.path)) ?? []
  if (others.length === 0) return <p className="text-muted">{workspaces.noRecents}</p>
  return (
    <ul className="divide-y divide-line">
      {others.map((recent) => (
        <li key={recent.path} className="flex flex-wrap items-center gap-3 py-2">
          <div className="min-w-48 flex-1">
            <p className="font-medium">{recent.name}</p>
            <p className="text-xs break-all text-muted">
              {recent.path} · {recent.exists ? workspaces.opened(format.ago(recent.opened_at, now)) : switcher.missing}
            </p>
          </div>
          <Button
            disabled={!recent.exists || open.isPending}
            onClick={() => open.mutate(recent.path, { onError: (error) => showToast('danger', errorText(error)) })}
          >
            {workspaces.open}
          </Button>
        </li>
      ))}
    </ul>
  )
}
