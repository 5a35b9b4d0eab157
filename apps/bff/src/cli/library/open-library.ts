import { PipelineLibrary, resolveWorkspace } from '@nirs-workspace/storage'

/** The library of a workspace; making one is left to the first template that is saved. */
export const openLibrary = async (path: string): Promise<PipelineLibrary> => new PipelineLibrary((await resolveWorkspace(path)).root)
