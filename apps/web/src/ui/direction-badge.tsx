import type { MetricDirection } from '@nirs-workspace/types/metric'
import { useText } from '../text/text.tsx'

/** Whether less or more of a metric is better, as a word: an arrow would be taken for the order of the rows. */
export const DirectionBadge = ({ direction, title }: { direction: MetricDirection; title?: string }) => {
  const { metric } = useText()
  return (
    // Relative, so that the hidden words stay inside what scrolls sideways.
    <span
      title={title ?? metric[direction]}
      className="relative inline-block shrink-0 rounded-sm bg-sunken px-1 text-[0.7rem] leading-4 font-normal text-muted"
    >
      <span aria-hidden>{metric.signs[direction]}</span>
      <span className="sr-only">{metric[direction]}</span>
    </span>
  )
}
