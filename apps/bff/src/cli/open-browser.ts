import { spawn } from 'node:child_process'

const commands: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
}

/** Whether there is somebody to open a browser for. */
export const hasDisplay = (env: NodeJS.ProcessEnv = process.env): boolean => {
  if (env.CI !== undefined && env.CI !== '') return false
  if (process.platform !== 'linux') return true
  return (env.DISPLAY ?? '') !== '' || (env.WAYLAND_DISPLAY ?? '') !== ''
}

/** Opens the address in the user's browser. When that fails the address is on the terminal anyway. */
export const openBrowser = (address: string): void => {
  const [command, ...options] = commands[process.platform] ?? ['xdg-open']
  const child = spawn(command, [...options, address], { stdio: 'ignore', detached: true })
  child.on('error', () => undefined)
  child.unref()
}
