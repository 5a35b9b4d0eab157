import type { PredictionDetail, Scatter } from '@nirs-workspace/types'
import { metricName } from '../../text/metric-name.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { Notice } from '../../ui/notice.tsx'
import { arraysKind, compareScore, mayBeStoredWrong } from './stored-score.ts'

interface NoteProps {
  readonly detail: PredictionDetail
  readonly scatter: Scatter
  /** One of the two is read anew: they may be of before and after a change. */
  readonly reading: boolean
}

/** Says so where the figures of these arrays are not the score that was stored with them, and why. */
export const ScoreNote = ({ detail, scatter, reading }: NoteProps) => {
  const text = useText()
  const format = useFormat()
  // While the next row loads, one of the two is still of the last one.
  const isOne = detail.prediction_id === scatter.prediction_id
  const kind = arraysKind(detail, scatter)
  const score = compareScore(detail, scatter)
  const numbers = score && ([metricName(text, detail.metric), format.score(score.stored), format.score(score.computed)] as const)
  if (!isOne || reading) return null
  if (kind === 'test as validation') return <Notice tone="info">{text.peek.testAsValidation}</Notice>
  if (kind === 'unclear') return <Notice tone="info">{text.peek.averageUnclear(metricName(text, detail.metric))}</Notice>
  if (numbers === undefined || score?.same !== false) return null
  if (mayBeStoredWrong(detail)) return <Notice tone="warning">{text.peek.averageDiffers(...numbers, kind === 'mixed')}</Notice>
  return (
    <Notice tone={kind === 'mixed' ? 'info' : 'warning'}>
      {kind === 'mixed' ? text.peek.averageMixed(...numbers, score.looksBetter) : text.peek.scoreDiffers(...numbers)}
    </Notice>
  )
}
