import type { Scatter } from '@nirs-workspace/types'
import type { Text } from '../../text/en.ts'
import { sampleAt, targetAt, targetsOf } from './pinned-sample.ts'

/** What the value at a place is of: the sample's number, and the target where there are several. */
export const sampleName = (scatter: Scatter, place: number, { peek }: Text): string => {
  const sample = String(sampleAt(scatter, place) ?? '–')
  return targetsOf(scatter) === 1 ? sample : peek.ofTarget(sample, String(targetAt(scatter, place)))
}
