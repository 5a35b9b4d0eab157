// Finds a Chromium for the browser tests, or gets one: Playwright's own download where it can be had, the distribution's otherwise.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { root, say } from './toolchain.mjs'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']
const places = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome', '/Applications/Chromium.app/Contents/MacOS/Chromium']

const playwright = () => createRequire(join(root, 'e2e', 'package.json'))('@playwright/test')

const onPath = () => (process.env.PATH ?? '').split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)))

/** Path of a browser that is there, or undefined. `NIRS_WORKSPACE_CHROMIUM` wins. */
export const findChromium = () => {
  const wanted = process.env.NIRS_WORKSPACE_CHROMIUM
  if (wanted) return wanted
  const downloaded = playwright().chromium.executablePath()
  return [downloaded, ...onPath(), ...places].find((path) => path && existsSync(path))
}

const attempt = (command, args, timeout) =>
  spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], timeout }).status === 0

const fromPlaywright = (node) => {
  const cli = join(root, 'e2e', 'node_modules', '@playwright', 'test', 'cli.js')
  const asRoot = process.platform === 'linux' && process.getuid?.() === 0
  return attempt(node, [cli, 'install', ...(asRoot ? ['--with-deps'] : []), 'chromium-headless-shell', 'chromium'], 300_000)
}

const fromDebian = () => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return false
  return (
    attempt('apt-get', ['update', '-qq'], 300_000) &&
    attempt('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-liberation'], 600_000)
  )
}

/** A browser, fetched if need be; throws with what to do when none can be had. */
export const ensureChromium = (node) => {
  const there = findChromium()
  if (there) return there
  say('Fetching Chromium for the browser tests (once)')
  // The distribution's package is tried first as root on Debian: it brings its libraries along.
  if (!fromDebian()) fromPlaywright(node)
  const found = findChromium()
  if (found) return found
  throw new Error(
    'No Chromium could be installed. Install one (for example `sudo apt-get install chromium`) or set NIRS_WORKSPACE_CHROMIUM to its path.',
  )
}
