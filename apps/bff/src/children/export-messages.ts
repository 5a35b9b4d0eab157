import { ExportedFile, ExportRequest } from '@nirs-workspace/types'
import * as z from 'zod'
import { WireError } from './wire-error.ts'

const context = z.object({
  resolved: z.object({ root: z.string(), name: z.string(), duckdb: z.string().nullable(), bak: z.string().nullable(), arrays: z.string() }),
  catalog: z.object({ file: z.object({ path: z.string() }) }),
})

/** What an export process is asked for: one file written to `target`, or an archive streamed over its data pipe. */
export const ExportOrder = z.discriminatedUnion('type', [
  z.object({ type: z.literal('file'), context, request: ExportRequest, dataset_name: z.string(), target: z.string() }),
  z.object({ type: z.literal('zip'), context, request: ExportRequest, scratch: z.string() }),
])
export type ExportOrder = z.infer<typeof ExportOrder>

export const FromExport = z.discriminatedUnion('type', [
  z.object({ type: z.literal('file'), file: ExportedFile }),
  /** The archive is complete and its last byte is on the pipe. */
  z.object({ type: z.literal('end') }),
  z.object({ type: z.literal('error'), error: WireError }),
])
export type FromExport = z.infer<typeof FromExport>

/** The descriptor of the data pipe in the child; 0 to 2 are the usual ones, 3 is the message channel. */
export const dataDescriptor = 4
