import type { JobProgress } from '@nirs-workspace/types'

const intervalMs = 100

/** One line on the terminal that shows how far a job is; nothing when standard error is no terminal. */
export const showProgress = (): { report: (progress: JobProgress) => void; done: () => void } => {
  const terminal = process.stderr.isTTY
  let last = 0
  return {
    report: (progress) => {
      if (!terminal || performance.now() - last < intervalMs) return
      last = performance.now()
      process.stderr.write(`\r\u001b[2K${progressLine(progress)}`)
    },
    done: () => {
      if (terminal) process.stderr.write('\r\u001b[2K')
    },
  }
}

const progressLine = (progress: JobProgress): string => {
  const { phase, fraction, done_rows, total_rows, total_bytes, rows_per_second, eta_seconds, dataset_name } = progress
  const percent = total_rows === 0 && total_bytes === 0 ? '' : `  ${Math.floor(fraction * 100)} %`
  const rows = total_rows > 0 ? `  ${done_rows} of ${total_rows} rows` : ''
  const rate = rows_per_second === null ? '' : `  ${Math.round(rows_per_second)} rows/s`
  const eta = eta_seconds === null ? '' : `  ${Math.ceil(eta_seconds)} s left`
  const dataset = dataset_name === null ? '' : `  ${dataset_name}`
  return `${phase}${percent}${rows}${rate}${eta}${dataset}`.slice(0, (process.stderr.columns ?? 80) - 1)
}
