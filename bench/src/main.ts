// npm run bench [-- migration catalog pages store arrays app growth]   without words: all but growth, and docs/benchmarks.md is written.
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { measureAppSize } from './app-size.ts'
import { growthReport } from './growth.ts'
import { machineFacts } from './machine-facts.ts'
import { measureArrays } from './measure-arrays.ts'
import { measureCatalog } from './measure-catalog.ts'
import { measureMigration } from './measure-migration.ts'
import { measurePages } from './measure-pages.ts'
import { measureStore } from './measure-store.ts'
import type { MeasurementGroup } from './measurement.ts'
import { lineOf, missedGoals, reportOf } from './write-report.ts'

const areas: Record<string, () => Promise<MeasurementGroup[]>> = {
  migration: async () => [await measureMigration()],
  catalog: async () => [await measureCatalog()],
  pages: measurePages,
  store: async () => [await measureStore()],
  arrays: async () => [await measureArrays()],
  app: async () => [await measureAppSize()],
}

const documentPath = (name: string) => fileURLToPath(new URL(`../../docs/${name}`, import.meta.url))

const asked = process.argv.slice(2)
const unknown = asked.filter((word) => !(word in areas) && word !== 'growth')
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(', ')}. Known: ${[...Object.keys(areas), 'growth'].join(', ')}.`)
  process.exit(2)
}

const groups: MeasurementGroup[] = []
for (const [name, measure] of Object.entries(areas)) {
  if (asked.length > 0 && !asked.includes(name)) continue
  for (const group of await measure()) {
    groups.push(group)
    console.log(`\n${group.title}`)
    for (const measurement of group.measurements) console.log(lineOf(measurement))
  }
}
if (asked.length === 0) await writeFile(documentPath('benchmarks.md'), reportOf(groups, await machineFacts()))
if (asked.includes('growth')) await writeFile(documentPath('scale.md'), await growthReport(await machineFacts()))

const missed = missedGoals(groups)
console.log(missed.length === 0 ? '\nEvery goal is met.' : `\nMissed: ${missed.map((measurement) => measurement.name).join('; ')}`)
process.exit(missed.length === 0 ? 0 : 1)
