import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { userFolders } from './folders.ts'

test.runIf(process.platform !== 'win32')('the folders of the user are those of XDG; an empty or relative name counts as unset', () => {
  const [cache, config, state] = ['.cache', '.config', '.local/state'].map((name) => join(homedir(), name, 'nirs-workspace'))
  expect(userFolders({})).toEqual({ cache, config, state })
  expect(userFolders({ XDG_CACHE_HOME: '', XDG_CONFIG_HOME: 'here', XDG_STATE_HOME: '/var/state' })).toEqual({
    cache,
    config,
    state: '/var/state/nirs-workspace',
  })
  expect(userFolders({ NIRS_WORKSPACE_HOME: '/portable', XDG_CACHE_HOME: '/elsewhere' })).toEqual({
    cache: '/portable/cache',
    config: '/portable/config',
    state: '/portable/state',
  })
})
