import * as z from 'zod'
import { benchCatalogs, benchDemo } from './demo-cache.ts'
import { needMigratedDemo } from './measure-migration.ts'
import type { Measurement, MeasurementGroup } from './measurement.ts'
import { runChild } from './run-child.ts'
import { median } from './timing.ts'

const Built = z.object({ copy_ms: z.number(), build_ms: z.number() })
const Loaded = z.object({ load_ms: z.array(z.number()), scan_ms: z.array(z.number()), rows: z.literal(10_000) })

const buildOf = async (name: string, workspace: string): Promise<Measurement> => {
  const built = await runChild('build-catalog', [workspace, benchCatalogs], Built)
  return {
    name,
    value: built.build_ms / 1000,
    unit: 's',
    goal: null,
    baseline: { name: 'bare copy of the metadata tables into memory (s)', value: built.copy_ms / 1000 },
  }
}

const arraysOf = async (kind: string, workspace: string): Promise<Measurement> => {
  const loaded = await runChild('load-arrays', [workspace, benchCatalogs], Loaded)
  return {
    name: `Arrays of 10 000 predictions, ${kind}`,
    value: median(loaded.load_ms) / 1000,
    unit: 's',
    goal: 0.6,
    baseline: { name: 'bare scan of as many rows (s)', value: median(loaded.scan_ms) / 1000 },
  }
}

/** Catalogs, and arrays read in bulk. */
export const measureCatalog = async (): Promise<MeasurementGroup> => {
  const [large, huge, migrated] = [await benchDemo('large'), await benchDemo('huge'), await needMigratedDemo()]
  return {
    title: 'Catalog and arrays, in process',
    measurements: [
      await buildOf('Catalog of 100 000 predictions, legacy store', large),
      await buildOf('Catalog of 100 000 predictions, migrated', migrated),
      await buildOf('Catalog of 1 000 000 predictions', huge),
      await arraysOf('legacy store', large),
      await arraysOf('migrated', migrated),
    ],
  }
}
