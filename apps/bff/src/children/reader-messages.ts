import * as z from 'zod'
import { WireError } from './wire-error.ts'

const places = z.object({ root: z.string(), duckdb: z.string().nullable(), bak: z.string().nullable(), arrays: z.string().nullable() })
const ref = z.object({
  prediction_id: z.string(),
  array_source: z.string().nullable(),
  n_samples: z.number().nullish(),
  val_score: z.custom<number | null>((value) => value === null || typeof value === 'number').optional(),
  file_bytes: z.number().nullish(),
})

/** What the array reader is asked for; each answer is a stream of chunks, ready to be sent to a client. */
export const ReaderOrder = z.discriminatedUnion('type', [
  /** One prediction: `PredictionArrays` as JSON, or one binary frame. */
  z.object({ type: z.literal('arrays'), format: z.enum(['json', 'binary']), places, ref }),
  /** Many predictions: `{"rows":[…]}`, or one frame after the other. */
  z.object({ type: z.literal('many'), format: z.enum(['json', 'binary']), places, refs: z.array(ref) }),
  /** `Scatter` as JSON. */
  z.object({
    type: z.literal('scatter'),
    places,
    ref,
    row: z.object({
      prediction_id: z.string(),
      dataset_name: z.string(),
      model_name: z.string(),
      fold_id: z.string(),
      partition: z.string(),
      metric: z.string(),
      task_type: z.string(),
    }),
  }),
])
export type ReaderOrder = z.infer<typeof ReaderOrder>

export const ToReader = z.discriminatedUnion('type', [
  z.object({ type: z.literal('start'), id: z.number().int(), order: ReaderOrder }),
  z.object({ type: z.literal('next'), id: z.number().int() }),
  z.object({ type: z.literal('stop'), id: z.number().int() }),
])

export const FromReader = z.discriminatedUnion('type', [
  z.object({ type: z.literal('chunk'), id: z.number().int(), data: z.custom<Uint8Array>((value) => value instanceof Uint8Array) }),
  z.object({ type: z.literal('end'), id: z.number().int() }),
  z.object({ type: z.literal('error'), id: z.number().int(), error: WireError }),
])
export type FromReader = z.infer<typeof FromReader>
