import { expect, test } from 'vitest'
import * as z from 'zod'
import { withEngine } from '../engine/open-engine.ts'
import { findIds } from './match-predictions.ts'

const Plan = z.object({ explain_key: z.string(), explain_value: z.string() })

test.each([
  ['rows that the target has under other ids', 2000, 0],
  ['new rows beside array rows that no metadata knows', 0, 2000],
])('finding ids compares no row with every other one: %s', (_, known, taken) =>
  withEngine({}, async (engine) => {
    const digests = (count: number) =>
      `SELECT uuid()::VARCHAR AS id, sha256('d' || i) AS digest, 'alive' AS state FROM range(${count}) r(i)`
    await engine.run(`CREATE TABLE memory.main.present AS ${digests(known)}`)
    await engine.run(`CREATE TABLE memory.main.taken AS SELECT uuid()::VARCHAR AS id FROM range(${taken})`)
    await engine.run(`CREATE TABLE memory.main.asked_rows AS ${digests(2000)}`)
    const sql = findIds("SELECT id, digest, digest AS content, id AS first, id < '8' AS is_bare FROM memory.main.asked_rows")
    const plan = await engine.rows(Plan, `EXPLAIN ${sql}`)
    expect(plan.map(({ explain_value }) => explain_value).join('\n')).toMatch(/HASH_JOIN/)
    expect(plan.map(({ explain_value }) => explain_value).join('\n')).not.toMatch(/NL_JOIN|NESTED_LOOP|CROSS_PRODUCT/)
    const found = await engine.rows(z.object({ there: z.array(z.string()), free: z.string() }), `SELECT there, free FROM (${sql})`)
    expect(found).toHaveLength(2000)
  }),
)
