import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { exportDataset, exportZip } from '@nirs-workspace/storage'
import { followParent, tellParent } from './child-process.ts'
import { dataDescriptor, ExportOrder, type FromExport } from './export-messages.ts'
import { toWireError } from './wire-error.ts'

const abort = new AbortController()

const run = async (raw: unknown): Promise<FromExport> => {
  const order = ExportOrder.parse(raw)
  if (order.type === 'zip') {
    const archive = exportZip(order.context, order.request, { scratchFolder: order.scratch, signal: abort.signal })
    // As a socket, whose writes do not block: a reader that has stopped reading must not keep this process from being told to stop.
    const pipe = new Socket({ fd: dataDescriptor, readable: false, writable: true })
    await pipeline(Readable.from(archive), pipe, { signal: abort.signal })
    return { type: 'end' }
  }
  const { format, layout, csv_dialect, filters } = order.request
  const file = await exportDataset(order.context, {
    dataset_name: order.dataset_name,
    filters,
    format: format === 'zip' ? 'parquet' : format,
    layout,
    csv_dialect,
    target: order.target,
    signal: abort.signal,
  })
  return { type: 'file', file }
}

followParent(() => abort.abort())
process.on('message', (raw) => {
  void run(raw)
    .catch((error: unknown): FromExport => ({ type: 'error', error: toWireError(error) }))
    .then(tellParent)
    .then(() => process.exit(0))
})
