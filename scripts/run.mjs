// npm start · npm test · npm run cli -- … · npm run bench · npm run test:faults · npm run dev · npm run reference
// Works from a fresh clone with only Node (20 or later) and npm: everything else is fetched here.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import { jobProcessEnvironment, jobProcessFlags } from '../packages/storage/src/engine/job-process.mjs'
import { buildApp, buildServer, ensureToolchain, installDependencies, root } from './toolchain.mjs'

const [task, ...args] = process.argv.slice(2)

/** Hands the terminal over to a program and leaves with its exit code; signals reach it first. */
const handOver = (command, commandArgs, env, cwd = process.env.INIT_CWD ?? root) => {
  const child = spawn(command, commandArgs, { stdio: 'inherit', env, cwd })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(signal ? 128 + (constants.signals[signal] ?? 0) : (code ?? 1)))
  child.on('error', (error) => {
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  })
}

// The first word that is no option decides: a path is served; without one the demo workspace is made and served.
const startArguments = () => {
  const withValue = new Set(['--port', '--host', '--token-file', '--workspace-root', '--allow-host', '--size', '--dir'])
  const hasPath = args.some((word, index) => !word.startsWith('-') && !withValue.has(args[index - 1] ?? ''))
  return hasPath ? ['serve', ...args] : ['demo', ...args]
}

const tasks = {
  start: (tools) => {
    buildApp(tools)
    handOver(tools.node, [buildServer(tools), ...startArguments()], tools.env)
  },
  cli: (tools) => {
    // A server runs for days and leaves its jobs to processes of their own.
    const isServer = ['serve', 'demo'].includes(args[0] ?? '')
    const [flags, env] = isServer ? [[], {}] : [jobProcessFlags, jobProcessEnvironment]
    handOver(tools.node, [...flags, buildServer(tools), ...args], { ...env, ...tools.env })
  },
  dev: (tools) =>
    handOver(
      tools.node,
      [join(root, 'apps', 'web', 'node_modules', 'vite', 'bin', 'vite.js'), ...args],
      tools.env,
      join(root, 'apps', 'web'),
    ),
  bench: (tools) => {
    buildApp(tools)
    buildServer(tools)
    handOver(tools.node, [join(root, 'bench', 'src', 'main.ts'), ...args], tools.env, root)
  },
  faults: (tools) =>
    handOver(
      tools.node,
      [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--config', 'vitest.faults.config.ts', ...args],
      tools.env,
      root,
    ),
  reference: (tools) => handOver(tools.node, [join(root, 'scripts', 'reference.mjs'), ...args], tools.env, root),
  test: async (tools) => {
    const unknown = args.find((word) => word !== '--all')
    if (unknown !== undefined) throw new Error(`npm test knows --all, not ${unknown}.`)
    const { testEverything } = await import('./test.mjs')
    process.exit(await testEverything(tools, args.includes('--all')))
  },
}

const work = tasks[task]
if (work === undefined) {
  process.stderr.write(`Unknown task "${task}". Known: ${Object.keys(tasks).join(', ')}\n`)
  process.exit(2)
}
try {
  const tools = ensureToolchain()
  installDependencies(tools)
  await work(tools)
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : error}\n`)
  process.exit(1)
}
