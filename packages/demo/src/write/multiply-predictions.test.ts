import { join } from 'node:path'
import { attachWritable, withEngine } from '@nirs-workspace/storage'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { makeDemo } from '../index.ts'
import { inTemporaryFolder } from '../testing/open-demo.ts'
import { multiplyPredictions } from './multiply-predictions.ts'
import { STORE } from './store-writer.ts'

const Count = z.object({ n: z.number() })

describe('demo workspace: copies of the trained predictions', () => {
  it('fills the store with copies under new ids that keep lineage and the shared scores of a fold', async () => {
    await inTemporaryFolder(async (folder) => {
      const { predictions } = await makeDemo({ directory: join(folder, 'demo'), size: 'tiny' })
      const total = 25 * predictions
      await withEngine({}, async (engine) => {
        await attachWritable(engine, join(folder, 'demo', 'store.duckdb'), STORE)
        await engine.run(`USE ${STORE}`)
        const counted: number[] = []
        await multiplyPredictions(engine, 1, predictions, total, (rows) => counted.push(rows))
        expect(counted.at(-1)).toBe(total)
        const count = async (sql: string) => (await engine.one(Count, sql)).n
        expect(await count('SELECT count(DISTINCT prediction_id) AS n FROM predictions')).toBe(total)
        expect(await count('SELECT count(*) AS n FROM predictions ANTI JOIN prediction_arrays USING (prediction_id)')).toBe(
          total - predictions,
        )
        expect(
          await count(
            'SELECT count(*) AS n FROM predictions JOIN chains USING (chain_id, pipeline_id) JOIN pipelines USING (pipeline_id) JOIN runs USING (run_id)',
          ),
        ).toBe(total)
        expect(
          await count(
            `SELECT count(*) AS n FROM (SELECT 1 FROM predictions GROUP BY chain_id, fold_id HAVING count(DISTINCT (val_score, scores)) > 1)`,
          ),
        ).toBe(0)
        expect(
          await count(
            `SELECT count(*) AS n FROM predictions WHERE CAST(scores->'val'->>metric AS DOUBLE) IS DISTINCT FROM val_score AND fold_id <> 'final'`,
          ),
        ).toBe(0)
        expect(
          await count(`SELECT count(*) AS n FROM predictions WHERE metric = 'balanced_accuracy' AND NOT val_score BETWEEN 0 AND 1`),
        ).toBe(0)
        await expect(multiplyPredictions(engine, 1, predictions, total + 1, () => undefined)).rejects.toThrow('multiple')
      })
    })
  })
})
