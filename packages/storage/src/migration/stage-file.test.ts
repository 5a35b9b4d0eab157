import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { quotedString } from '../engine/attach-store.ts'
import { withEngine } from '../engine/open-engine.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { stageFile } from './stage-file.ts'

test('values that repeat often keep the sign of zero, which a dictionary of DuckDB would lose', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'zeros.parquet')
  await withEngine({}, async (engine) => {
    await engine.run(
      "CREATE TABLE zeros AS SELECT range AS i, [0, CASE WHEN range >= 0 THEN '-0'::DOUBLE END, 1, 'NaN'::DOUBLE] AS y FROM range(3000)",
    )
    const sql = 'SELECT * FROM zeros ORDER BY i'
    await stageFile(
      engine,
      { name: 'zeros', path, sql, rows: 3000, datasets: [], columns: [], extras: [], existing: false },
      2048,
      undefined,
    )
    const count = (from: string) =>
      engine.one(
        z.object({ zeros: z.number() }),
        `SELECT count(*) AS zeros FROM (SELECT unnest(y) AS v FROM ${from}) WHERE v = 0 AND signbit(v)`,
      )
    expect(await count('zeros')).toEqual({ zeros: 3000 })
    expect(await count(`read_parquet(${quotedString(path)})`)).toEqual({ zeros: 3000 })
  })
})
