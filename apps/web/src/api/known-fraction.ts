import type { JobProgress } from '@nirs-workspace/types'

/** How far a job is, 0 to 1; undefined while nobody knows how much there is to do. */
export const knownFraction = ({ fraction, total_rows, total_bytes }: JobProgress): number | undefined =>
  total_rows === 0 && total_bytes === 0 ? undefined : fraction
