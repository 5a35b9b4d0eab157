/** train, val and test keep the same colour and shape everywhere; other partitions get the neutral diamond. */
export const partitionColour = (partition: string): string =>
  partition === 'train' || partition === 'val' || partition === 'test' ? `var(--${partition})` : 'var(--muted)'

/** SVG path of a partition's marker around the origin, about `size` wide: circle, triangle, square, diamond. */
export const markerPath = (partition: string, size: number): string => {
  const r = size / 2
  if (partition === 'train') return `M${-r},0a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0`
  if (partition === 'val') return `M0,${-r * 1.1}L${r * 1.1},${r * 0.85}L${-r * 1.1},${r * 0.85}Z`
  if (partition === 'test') return `M${-r * 0.9},${-r * 0.9}h${r * 1.8}v${r * 1.8}h${-r * 1.8}Z`
  return `M0,${-r}L${r},0L0,${r}L${-r},0Z`
}

export const PartitionMark = ({ partition }: { partition: string }) => (
  <svg width="10" height="10" viewBox="-5 -5 10 10" aria-hidden className="shrink-0">
    <path d={markerPath(partition, 8)} fill={partitionColour(partition)} />
  </svg>
)
