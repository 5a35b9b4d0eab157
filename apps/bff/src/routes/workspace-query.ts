import * as z from 'zod'

/** `?workspace=<id>`; without it the current one. */
export const workspaceQuery = { workspace: z.string().max(100).optional() }
export const onlyWorkspace = z.strictObject(workspaceQuery)
