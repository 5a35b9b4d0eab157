import { metricAmong } from '../../text/metric-name.ts'
import { useText } from '../../text/text.tsx'
import { Notice } from '../../ui/notice.tsx'

export const MixedMetrics = ({ metrics }: { metrics: readonly string[] }) => {
  const text = useText()
  if (metrics.length < 2) return null
  return (
    <div className="border-b border-line">
      <Notice flat tone="info">
        {text.predictions.mixedMetrics(metrics.map((name) => metricAmong(text, name, metrics)).join(', '))}
      </Notice>
    </div>
  )
}
