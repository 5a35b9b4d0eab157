import { DOUBLE } from '@duckdb/node-api'
import type { EngineParameters } from './open-engine.ts'

/** The driver binds whole numbers as BIGINT and fails for 1e300, as a score may be. What it finds out right is left to it. */
export const boundTypes = (parameters: EngineParameters = {}) =>
  Object.fromEntries(
    Object.entries(parameters)
      .filter(([, value]) => typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
      .map(([name]) => [name, DOUBLE]),
  )
