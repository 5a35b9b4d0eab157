import { metricLabel } from '@nirs-workspace/types/metric'
import { useText } from '../../text/text.tsx'
import { Notice } from '../../ui/notice.tsx'

export const MixedMetrics = ({ metrics }: { metrics: readonly string[] }) => {
  const { predictions } = useText()
  if (metrics.length < 2) return null
  return (
    <div className="border-b border-line">
      <Notice flat tone="info">
        {predictions.mixedMetrics(metrics.map((name) => metricLabel(name)).join(', '))}
      </Notice>
    </div>
  )
}
