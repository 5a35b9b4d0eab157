import type { JobPhase, JobProgress } from '@nirs-workspace/types'

type DatasetState = JobProgress['datasets'][number]['state']
type Report = ((progress: JobProgress) => void) | undefined

/** How much of the whole each phase is, by the clock, in the order in which they come. */
const shares: Partial<Record<JobPhase, { from: number; to: number }>> = {
  recover: { from: 0, to: 0.01 },
  plan: { from: 0.01, to: 0.05 },
  stage: { from: 0.05, to: 0.9 },
  verify: { from: 0.05, to: 0.9 },
  report: { from: 0.9, to: 0.95 },
  commit: { from: 0.95, to: 1 },
  done: { from: 1, to: 1 },
}

/** Keeps count of what a job has done and tells it, at most ten times a second and whenever the phase changes. */
export class ProgressTracker {
  readonly #report: Report
  readonly #startedAt = performance.now()
  #lastReport = 0
  #phase: JobPhase = 'queued'
  #message = ''
  #total = { rows: 0, bytes: 0 }
  #done = { rows: 0, bytes: 0, steps: 0, totalSteps: 0 }
  #datasets = new Map<string, { rows: number; done_rows: number; state: DatasetState }>()
  #current: string | null = null

  constructor(report: Report) {
    this.#report = report
  }

  phase(phase: JobPhase, message: string): void {
    this.#phase = phase
    this.#message = message
    this.#tell(true)
  }

  /** What there is to do; 0 of what is not known. `bytes` of arrays are as they are in memory; `steps` are files staged and verified. */
  expect(datasets: readonly { name: string; rows: number }[], rows: number, bytes: number, steps: number): void {
    this.#total = { rows, bytes }
    this.#done.totalSteps = steps
    this.#datasets = new Map(datasets.map(({ name, rows }) => [name, { rows, done_rows: 0, state: 'waiting' }]))
  }

  datasets(names: readonly string[], state: DatasetState): void {
    this.#current = names[0] ?? null
    for (const name of names) {
      const dataset = this.#datasets.get(name)
      if (dataset === undefined) continue
      dataset.state = state
      if (state === 'done') dataset.done_rows = dataset.rows
    }
    this.#tell(true)
  }

  rows(names: readonly string[], rows: number, bytes: number): void {
    this.#done.rows = Math.min(this.#total.rows, this.#done.rows + rows)
    this.#done.bytes += bytes
    const [only] = names
    const dataset = names.length === 1 && only !== undefined ? this.#datasets.get(only) : undefined
    if (dataset !== undefined) dataset.done_rows = Math.min(dataset.rows, dataset.done_rows + rows)
    this.#tell(false)
  }

  step(): void {
    this.#done.steps += 1
    this.#tell(false)
  }

  #tell(now: boolean): void {
    const time = performance.now()
    if (this.#report === undefined || (!now && time - this.#lastReport < 100)) return
    this.#lastReport = time
    this.#report(this.#snapshot(time))
  }

  #snapshot(time: number): JobProgress {
    const seconds = (time - this.#startedAt) / 1000
    const fraction = this.#fraction()
    const isWorking = this.#phase === 'stage' || this.#phase === 'verify'
    return {
      phase: this.#phase,
      message: this.#message,
      fraction,
      done_rows: this.#done.rows,
      total_rows: this.#total.rows,
      done_bytes: this.#done.bytes,
      total_bytes: Math.max(this.#total.bytes, this.#done.bytes),
      rows_per_second: isWorking && seconds > 0 && this.#done.rows > 0 ? this.#done.rows / seconds : null,
      eta_seconds: fraction > 0.05 && fraction < 1 ? (seconds * (1 - fraction)) / fraction : null,
      dataset_name: this.#current,
      datasets: [...this.#datasets].map(([name, dataset]) => ({ name, ...dataset })),
    }
  }

  #fraction(): number {
    const share = shares[this.#phase]
    if (share === undefined) return 0
    if (this.#phase !== 'stage' && this.#phase !== 'verify') return share.from
    // Half of the work is writing (counted by files), half reading back (counted by rows). Checks read only, and know bytes at most.
    const { rows, bytes } = this.#total
    const read = rows > 0 ? this.#done.rows / rows : bytes > 0 ? this.#done.bytes / bytes : 0
    const done = this.#done.totalSteps === 0 ? read : (this.#done.steps / this.#done.totalSteps + read) / 2
    return share.from + (share.to - share.from) * Math.min(1, done)
  }
}
