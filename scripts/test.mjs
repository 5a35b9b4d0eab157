// Everything that `npm test` checks: lint, types, the reference in docs/, unit and integration tests, then the app in a real browser;
// with `--all` the long tests too.
// All parts run even when one fails; the last line sums up.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ensureChromium } from './chromium.mjs'
import { buildApp, buildServer, root, say } from './toolchain.mjs'

const results = join(root, 'test-results')

const attempt = (tools, args, env = {}) =>
  spawnSync(tools.node, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { ...tools.env, ...env } }).status === 0

const one = (passed) => ({ passed: passed ? 1 : 0, failed: passed ? 0 : 1 })

const lint = (tools) =>
  one(attempt(tools, [join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome'), 'ci', '--diagnostic-level=error', '.']))

const projects = () =>
  ['packages', 'apps'].flatMap((group) => readdirSync(join(root, group)).map((name) => join(group, name))).concat('e2e', 'bench')

const types = (tools) =>
  projects()
    .filter((path) => existsSync(join(root, path, 'tsconfig.json')))
    .map((path) => one(attempt(tools, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', path])))
    .reduce(add)

const add = (a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed })

// A runner that died without a report counts as one failure, never as none.
const readReport = (path, read, ended) => {
  if (!existsSync(path)) return { passed: 0, failed: 1 }
  const counted = read(JSON.parse(readFileSync(path, 'utf8')))
  return !ended && counted.failed === 0 ? add(counted, { passed: 0, failed: 1 }) : counted
}

// Where the workspaces written by releases of nirs4all lie beside the repository, and on Linux, every test has what it needs.
const isComplete = process.platform === 'linux' && existsSync(join(root, '..', 'shared', 'workspaces', 'expected.json'))

/** Tests that were passed over count as failures where nothing excuses them; elsewhere they are told. */
const forgotten = (passedOver = 0) => {
  if (isComplete) return passedOver
  if (passedOver > 0) say(`${passedOver} tests were passed over: they need workspaces or a system that are not here (see CONTRIBUTING.md)`)
  return 0
}

const reference = (tools) => one(attempt(tools, [join(root, 'scripts', 'reference.mjs'), '--check']))

const unit = (tools, chosen) => {
  const report = join(results, 'unit.json')
  const ended = attempt(tools, [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...chosen,
  ])
  return readReport(
    report,
    (json) => ({ passed: json.numPassedTests, failed: json.numFailedTests + forgotten(json.numPendingTests) }),
    ended,
  )
}

const browser = (tools) => {
  const report = join(results, 'browser.json')
  const executable = ensureChromium(tools.node)
  buildApp(tools)
  buildServer(tools)
  const ended = attempt(
    tools,
    [join(root, 'e2e', 'node_modules', '@playwright', 'test', 'cli.js'), 'test', '--config', 'e2e/playwright.config.ts'],
    {
      NIRS_WORKSPACE_CHROMIUM: executable,
      PLAYWRIGHT_JSON_OUTPUT_FILE: report,
    },
  )
  return readReport(
    report,
    (json) => ({ passed: json.stats.expected + json.stats.flaky, failed: json.stats.unexpected + json.stats.skipped }),
    ended,
  )
}

const parts = [
  ['Lint', lint],
  ['Types', types],
  ['Reference of the storage library', reference],
  ['Unit and integration tests', unit],
  ['Browser tests', browser],
]

const guarded = (name, part, tools, chosen) => {
  const started = Date.now()
  say(name)
  try {
    const counts = part(tools, chosen)
    say(`${name}: ${counts.passed} passed, ${counts.failed} failed in ${Math.round((Date.now() - started) / 1000)} s`)
    return counts
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    return { passed: 0, failed: 1 }
  }
}

/** Runs all parts and prints the sum as the last line; the exit code is 0 only when nothing failed. Without `isAll` not the long tests. */
export const testEverything = async (tools, isAll) => {
  rmSync(results, { recursive: true, force: true })
  mkdirSync(results, { recursive: true })
  const total = parts.map(([name, part]) => guarded(name, part, tools, isAll ? [] : ['--project=!long'])).reduce(add)
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed\n`)
  return total.failed === 0 ? 0 : 1
}
