import { findMetric, metricKey, metricLabel } from '@nirs-workspace/types/metric'
import type { Text } from './en.ts'

/**
 * The name of a metric in the reader's language; an RMSE is called by where it comes from, and
 * another average over the classes by its stored name. Unknown metrics keep their own name.
 */
export const metricName = (text: Text, name: string, partition?: string, refit = false): string => {
  if (name.trim() === '') return text.common.empty
  const known = findMetric(name)?.name
  const own = Object.entries(text.metric.names).find(([key]) => key === known)?.[1]
  const label = own ?? metricLabel(name, partition, refit)
  return known === undefined || metricKey(name) === known ? label : `${label} (${name.trim()})`
}

/** The name, with the stored spelling where another of these is called the same. */
export const metricAmong = (text: Text, name: string, all: readonly string[]): string => {
  const label = metricName(text, name)
  return all.some((other) => other !== name && metricName(text, other) === label) ? `${label} (${name})` : label
}
