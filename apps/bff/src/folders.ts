import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where this program keeps its own files. Nothing derived ever lies inside a workspace. */
export interface UserFolders {
  /** What can be made again: catalogs, exports. */
  cache: string
  /** What the user chose: recently opened workspaces. */
  config: string
  /** What happened: jobs and their events. */
  state: string
}

/** The folders of this user; `NIRS_WORKSPACE_HOME` puts all three under one folder (tests, portable installs). */
export const userFolders = (env: NodeJS.ProcessEnv = process.env): UserFolders => {
  const own = env.NIRS_WORKSPACE_HOME
  if (own !== undefined && own !== '') return { cache: join(own, 'cache'), config: join(own, 'config'), state: join(own, 'state') }
  const home = homedir()
  // Empty or relative counts as unset, as the XDG specification wants it: it would be another folder wherever one stands.
  const base = (name: string, fallback: string) => {
    const given = env[name] ?? ''
    return join(isAbsolute(given) ? given : join(home, fallback), 'nirs-workspace')
  }
  if (process.platform === 'win32') {
    const local = base('LOCALAPPDATA', 'AppData/Local')
    return { cache: join(local, 'cache'), config: join(local, 'config'), state: join(local, 'state') }
  }
  return {
    cache: base('XDG_CACHE_HOME', '.cache'),
    config: base('XDG_CONFIG_HOME', '.config'),
    state: base('XDG_STATE_HOME', '.local/state'),
  }
}

/** The built app of this repository. */
export const builtApp = fileURLToPath(new URL('../../web/dist', import.meta.url))
