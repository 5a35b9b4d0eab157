import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { paths } from '../paths.ts'
import { activateWorkspace, openWorkspace } from './actions.ts'
import { workspacesQuery } from './queries.ts'

/** Opens a path, makes it current and goes to its overview. */
export const useOpenWorkspace = () => {
  const client = useQueryClient()
  const show = useShowWorkspace()
  return useMutation({
    mutationFn: (path: string) => openWorkspace(path),
    onSuccess: async (workspace) => {
      await client.invalidateQueries(workspacesQuery())
      await show.mutateAsync(workspace.id)
    },
  })
}

/** Makes an open workspace the current one and goes to its overview. */
export const useShowWorkspace = () => {
  const client = useQueryClient()
  const navigate = useNavigate()
  return useMutation({
    mutationFn: (id: string) => activateWorkspace(id),
    onSuccess: async (_, id) => {
      await client.invalidateQueries(workspacesQuery())
      await navigate({ to: paths.overview, search: { workspace: id } })
    },
  })
}
