import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { makeDemo } from './index.ts'
import { plannedRows } from './plan/demo-plan.ts'
import { largePlan } from './plan/large-plan.ts'
import { inTemporaryFolder, withStore } from './testing/open-demo.ts'

const Digest = z.object({ digest: z.string() })

/** Everything a store says, as one text per table. */
const digestOf = (path: string) =>
  withStore(path, async (engine) => {
    const tables = ['runs', 'pipelines', 'chains', 'predictions', 'prediction_arrays', 'artifacts', 'logs']
    const digests: string[] = []
    for (const table of tables) {
      const { digest } = await engine.one(
        Digest,
        `SELECT md5(string_agg(CAST(t AS VARCHAR), '|' ORDER BY CAST(t AS VARCHAR))) AS digest FROM ${table} t`,
      )
      digests.push(`${table} ${digest}`)
    }
    return digests
  })

describe('demo workspace: repeatable', () => {
  it('gives the same rows for the same seed and others for another', async () => {
    await inTemporaryFolder(async (folder) => {
      await makeDemo({ directory: join(folder, 'a'), size: 'tiny', seed: 3 })
      await makeDemo({ directory: join(folder, 'b'), size: 'tiny', seed: 3 })
      await makeDemo({ directory: join(folder, 'c'), size: 'tiny', seed: 4 })
      const first = await digestOf(join(folder, 'a', 'store.duckdb'))
      expect(await digestOf(join(folder, 'b', 'store.duckdb'))).toEqual(first)
      expect((await digestOf(join(folder, 'c', 'store.duckdb'))).slice(3, 5)).not.toEqual(first.slice(3, 5))
    })
  })

  it('plans the large workspace to exactly the wanted number of rows', () => {
    for (const rows of [10_000, 20_000, 99_998, 100_000, 100_001]) {
      expect(largePlan(rows).runs.reduce((sum, run) => sum + plannedRows(run), 0)).toBe(rows)
    }
  })

  it('reports progress up to the total', async () => {
    await inTemporaryFolder(async (folder) => {
      const seen: number[] = []
      const demo = await makeDemo({ directory: join(folder, 'a'), size: 'tiny', onProgress: ({ done }) => seen.push(done) })
      expect(seen.toSorted((left, right) => left - right)).toEqual(seen)
      expect(seen.at(-1)).toBe(demo.predictions)
    })
  })
})
