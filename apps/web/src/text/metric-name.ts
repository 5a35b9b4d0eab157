import { findMetric, metricLabel } from '@nirs-workspace/types/metric'
import type { Text } from './en.ts'

/** The name of a metric in the reader's language; an RMSE is called by where it comes from. Unknown metrics keep their own name. */
export const metricName = (text: Text, name: string, partition?: string, refit = false): string => {
  const known = findMetric(name)?.name
  const own = Object.entries(text.metric.names).find(([key]) => key === known)?.[1]
  return own ?? metricLabel(name, partition, refit)
}
