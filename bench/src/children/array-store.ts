// One measurement of the array store in a process of its own: `array-store.ts <job> <workspace> <rows> <samples>`.
import { copyFile, mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type ArrayRecord, ArrayStore, readSummaries, withEngine } from '@nirs-workspace/storage'
import { answer, childArgument } from './answer.ts'

const [job, root, rows, samples] = [childArgument(0), childArgument(1), Number(childArgument(2)), Number(childArgument(3))]
const store = ArrayStore.open(root, { create: true })
const file = join(root, 'arrays', 'wheat.parquet')
const measured = Float64Array.from({ length: samples }, () => 10 + Math.random())
const sample_indices = Int32Array.from({ length: samples }, (_, index) => index)

const record = (id: string, index: number, dataset_name = 'wheat'): ArrayRecord => ({
  prediction_id: id,
  dataset_name,
  model_name: `PLS_${index % 40}`,
  fold_id: String(index % 5),
  partition: ['train', 'val', 'test'][index % 3] ?? 'val',
  metric: 'rmse',
  val_score: Math.random(),
  task_type: 'regression',
  y_true: measured,
  y_pred: measured.map((value) => value + Math.random()),
  sample_indices,
})

const fresh = (count: number) => Array.from({ length: count }, (_, index) => record(crypto.randomUUID(), index))

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const started = performance.now()
  await work()
  return performance.now() - started
}

const flush = async (path: string): Promise<void> => {
  const handle = await open(path, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Every hundredth prediction, all over the file. */
const isRemoved = (index: number) => index % 100 === 7

const jobs: Record<string, () => Promise<Record<string, unknown>>> = {
  make: async () => {
    await rm(root, { recursive: true, force: true })
    await mkdir(root, { recursive: true })
    const writer = store.openWriter()
    const make_ms = await timed(async () => {
      for (let index = 0; index < rows; index++) await writer.add(record(`${crypto.randomUUID()}-${index}`, index))
      await writer.close()
    })
    return { make_ms }
  },
  append: async () => {
    const [copy_ms, flushed_ms, append_ms]: [number[], number[], number[]] = [[], [], []]
    await store.saveBatch(fresh(1000))
    for (let round = 0; round < 5; round++) {
      const copy = join(root, 'copy.bin')
      copy_ms.push(await timed(() => copyFile(file, copy)))
      await rm(copy)
      flushed_ms.push(
        await timed(async () => {
          await copyFile(file, copy)
          await flush(copy)
        }),
      )
      await rm(copy)
      const batch = fresh(1000)
      append_ms.push(await timed(() => store.saveBatch(batch)))
    }
    return { copy_ms, flushed_ms, append_ms }
  },
  load: async () => {
    const ids = await idsOf()
    const some = ids.filter((_, index) => index % Math.max(1, Math.floor(ids.length / 10_000)) === 0).slice(0, 10_000)
    return {
      load_ms: await timed(() => store.loadBatch(some, 'wheat')),
      single_ms: await timed(() => store.loadSingle(ids[5] ?? '', 'wheat')),
    }
  },
  copy: async () => {
    const target = join(root, 'copied.parquet')
    const copy_ms = await timed(() =>
      withEngine({ threads: 2, memoryLimit: '1GB' }, (engine) =>
        engine.run(
          `COPY (SELECT * EXCLUDE file_row_number FROM read_parquet('${file}', file_row_number = true) WHERE file_row_number % 100 <> 7)
           TO '${target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, ROW_GROUP_SIZE 2048)`,
        ),
      ),
    )
    await rm(target)
    return { copy_ms }
  },
  compact: async () => {
    await store.deleteBatch(new Set((await idsOf()).filter((_, index) => isRemoved(index))))
    const before = process.resourceUsage().maxRSS
    let report: Awaited<ReturnType<ArrayStore['compact']>> | undefined
    const compact_ms = await timed(async () => {
      report = await store.compact()
    })
    return { compact_ms, removed: report?.rows_removed ?? 0, rss_before_kb: before }
  },
  deep: async () => {
    const deep_ms = await timed(() => store.integrityCheck({ deep: true }))
    return { deep_ms, bytes: (await store.stats()).total_bytes }
  },
  summaries: async () => {
    for (let index = 0; index < rows; index++) await store.saveBatch(fresh(40).map((one) => ({ ...one, dataset_name: `dataset ${index}` })))
    const summaries_ms: number[] = []
    for (let round = 0; round < 20; round++) summaries_ms.push(await timed(() => readSummaries(root)))
    return { summaries_ms }
  },
}

const idsOf = async (): Promise<string[]> => {
  const ids: string[] = []
  await withEngine({}, async (engine) => {
    const result = await engine.stream(`SELECT prediction_id FROM read_parquet('${file}')`)
    for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
      ids.push(...chunk.getColumnValues(0).map(String))
    }
  })
  return ids
}

const run = jobs[job]
if (run === undefined) throw new Error(`There is no measurement "${job}".`)
answer(await run())
