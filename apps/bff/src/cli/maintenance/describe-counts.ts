import type { MaintenanceCounts } from '@nirs-workspace/types'
import { formatBytes } from '../table.ts'

type Counted = Exclude<keyof MaintenanceCounts, 'bytes'>

const names: Record<Counted, [one: string, many: string]> = {
  runs: ['run', 'runs'],
  pipelines: ['pipeline', 'pipelines'],
  chains: ['chain', 'chains'],
  predictions: ['prediction', 'predictions'],
  artifacts: ['row of a model', 'rows of models'],
  logs: ['log line', 'log lines'],
  other_rows: ['row of another table', 'rows of other tables'],
  arrays: ['set of arrays', 'sets of arrays'],
  files: ['model file', 'model files'],
}

const order = [
  'runs',
  'pipelines',
  'chains',
  'predictions',
  'artifacts',
  'logs',
  'other_rows',
  'arrays',
  'files',
] as const satisfies Counted[]

/** A line per kind of thing that there is any of, numbers below each other. */
export const describeCounts = (counts: Readonly<Record<string, number>>, bytes: Partial<Record<Counted, number>> = {}): string =>
  countLines(
    order.map((kind) => {
      const count = counts[kind] ?? 0
      return { count, name: names[kind][count === 1 ? 0 : 1], bytes: bytes[kind] ?? 0 }
    }),
  )

export const countLines = (rows: readonly { count: number; name: string; bytes: number }[]): string => {
  const shown = rows.filter(({ count }) => count > 0)
  const widest = Math.max(...shown.map(({ count }) => String(count).length))
  return shown
    .map(({ count, name, bytes }) => `  ${String(count).padStart(widest)} ${name}${bytes > 0 ? `, about ${formatBytes(bytes)}` : ''}`)
    .join('\n')
}
