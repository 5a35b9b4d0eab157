import { appendColumns, type Engine } from '@nirs-workspace/storage'
import {
  type ArtifactRow,
  arrayShape,
  artifactShape,
  type ChainRow,
  chainShape,
  type LogRow,
  logShape,
  type PipelineRow,
  type PredictionRow,
  pipelineShape,
  predictionShape,
  type RunRow,
  runShape,
  type TableShape,
} from './legacy-rows.ts'
import { legacyIndexes, legacyTables, legacyView } from './legacy-schema.ts'

/** Rows that wait to be written, parents before children. */
export interface PendingRows {
  runs: RunRow[]
  pipelines: PipelineRow[]
  chains: ChainRow[]
  predictions: PredictionRow[]
  artifacts: ArtifactRow[]
  logs: LogRow[]
}

/** The alias under which the new store is attached while it is written. */
export const STORE = 'demo_store'

/** Predictions that are written at once: enough that DuckDB packs their arrays tightly, few enough for the memory. */
const FLUSH_AT = 12_000

const emptyRows = (): PendingRows => ({ runs: [], pipelines: [], chains: [], predictions: [], artifacts: [], logs: [] })

/** Creates the 0.7.1 tables in the attached store; indexes and view come last, in `finish`, which is faster. */
export const createStoreWriter = async (engine: Engine) => {
  await engine.run(`USE ${STORE}`)
  for (const statement of legacyTables) await engine.run(statement)
  let rows = emptyRows()

  const append = async <Row>(shape: TableShape<Row>, items: readonly Row[]) => {
    if (items.length === 0) return
    await appendColumns(
      engine,
      { alias: STORE, table: shape.table },
      shape.columns.map((column) => column(items)),
    )
  }

  const flush = async () => {
    const batch = rows
    rows = emptyRows()
    await append(runShape, batch.runs)
    await append(pipelineShape, batch.pipelines)
    await append(chainShape, batch.chains)
    await append(predictionShape, batch.predictions)
    await append(arrayShape, batch.predictions)
    await append(artifactShape, batch.artifacts)
    await append(logShape, batch.logs)
  }

  return {
    /** Where the next rows go. Take it anew after every `flushIfFull`. */
    pending: (): PendingRows => rows,
    flushIfFull: async () => {
      if (rows.predictions.length >= FLUSH_AT) await flush()
    },
    flush,
    /** Writes what waits, builds indexes and view, and leaves a checkpointed file without a log. */
    finish: async () => {
      await flush()
      for (const statement of legacyIndexes) await engine.run(statement)
      await engine.run(legacyView)
      await engine.run('USE memory')
      await engine.run(`CHECKPOINT ${STORE}`)
    },
  }
}
