import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { MeasurementGroup } from './measurement.ts'

const dist = fileURLToPath(new URL('../../apps/web/dist', import.meta.url))

/** Scripts that the page asks for before anything is clicked: the entry, its preloads and what they import statically. */
const firstScripts = async (): Promise<Map<string, Buffer>> => {
  const page = await readFile(join(dist, 'index.html'), 'utf8')
  const waiting = [...page.matchAll(/(?:src|href)="\/?([^"]+\.js)"/g)].flatMap((match) => match[1] ?? [])
  const found = new Map<string, Buffer>()
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (found.has(path)) continue
    const content = await readFile(join(dist, path))
    found.set(path, content)
    const imports = content.toString('utf8').matchAll(/(?:^|[;}\s])import(?:[^"'()]*?from)?\s*["']\.\/([^"']+\.js)["']/g)
    for (const match of imports) waiting.push(join(path, '..', match[1] ?? ''))
  }
  return found
}

/** Size of the first load of the built app. */
export const measureAppSize = async (): Promise<MeasurementGroup> => {
  if (!existsSync(join(dist, 'index.html'))) throw new Error('The app is not built; `npm run bench` builds it.')
  const scripts = [...(await firstScripts()).values()]
  const sum = (sizes: number[]) => sizes.reduce((total, size) => total + size, 0) / 1024
  return {
    title: 'First load of the app',
    measurements: [
      {
        name: 'Script of the first load, gzip',
        value: sum(scripts.map((script) => gzipSync(script, { level: 9 }).length)),
        unit: 'KB',
        goal: 250,
        baseline: { name: 'the same script, not compressed (KB)', value: sum(scripts.map((script) => script.length)) },
        note: `${scripts.length} files`,
      },
    ],
  }
}
