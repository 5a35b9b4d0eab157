import { wholePercent } from '../lib/format.ts'

/** A bar from 0 to 1 with its name for screen readers; it says only that something goes on where the fraction is not known. */
export const ProgressBar = ({ fraction, label, slim = false }: { fraction: number | undefined; label: string; slim?: boolean }) => {
  const percent = fraction === undefined ? undefined : wholePercent(fraction)
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      className={`w-full overflow-hidden rounded-full bg-sunken ${slim ? 'h-1.5' : 'h-2.5'}`}
    >
      {percent === undefined ? (
        <div className="h-full animate-pulse rounded-full bg-accent opacity-50" />
      ) : (
        <div className="h-full rounded-full bg-accent transition-[width] duration-150" style={{ width: `${percent}%` }} />
      )}
    </div>
  )
}
