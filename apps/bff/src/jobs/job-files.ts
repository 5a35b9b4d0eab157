import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { JobOutcome } from '../children/job-messages.ts'
import { isTerminal, JobRecord } from './job-record.ts'

const keptJobs = 100

/**
 * One folder per job in the user's state folder: `events.ndjson`, appended to by the server, and `outcome.json`, written by the job's own
 * process at its end, so that the end is known even if the server died first.
 */
export class JobFiles {
  readonly #root: string

  constructor(stateFolder: string) {
    this.#root = join(stateFolder, 'jobs')
  }

  folderOf(jobId: string): string {
    return join(this.#root, jobId)
  }

  /** Appends one event; the last one of a job reaches the disk before this returns. */
  append(record: JobRecord): void {
    const folder = this.folderOf(record.job.job_id)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const file = openSync(join(folder, 'events.ndjson'), 'a+', 0o600)
    try {
      writeSync(file, `${endsTorn(file) ? '\n' : ''}${JSON.stringify(record)}\n`)
      if (isTerminal(record.job)) fsyncSync(file)
    } finally {
      closeSync(file)
    }
  }

  /** Events of all kept jobs, each list in order of seq; older jobs are forgotten. */
  loadAll(): JobRecord[][] {
    if (!existsSync(this.#root)) return []
    const jobs = readdirSync(this.#root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => ({ name: entry.name, records: this.load(entry.name) }))
      .sort((a, b) => lastSeq(b.records) - lastSeq(a.records))
    for (const { name } of jobs.slice(keptJobs)) rmSync(join(this.#root, name), { recursive: true, force: true })
    return jobs
      .slice(0, keptJobs)
      .map(({ records }) => records)
      .filter((records) => records.length > 0)
  }

  /** How the job's process ended, if it got that far. */
  readOutcome(jobId: string): JobOutcome | undefined {
    const path = join(this.folderOf(jobId), 'outcome.json')
    if (!existsSync(path)) return undefined
    return JobOutcome.parse(JSON.parse(readFileSync(path, 'utf8')))
  }

  /** Events of one job, in order of seq. */
  load(jobId: string): JobRecord[] {
    const path = join(this.folderOf(jobId), 'events.ndjson')
    if (!existsSync(path)) return []
    return readFileSync(path, 'utf8').split('\n').flatMap(parseLine)
  }
}

const lastSeq = (records: readonly JobRecord[]): number => records.at(-1)?.jobs_seq ?? 0

/** A line that a crash cut short is no event. */
const parseLine = (line: string): JobRecord[] => {
  if (line === '') return []
  const parsed = JobRecord.safeParse(parseJson(line))
  return parsed.success ? [parsed.data] : []
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

const endsTorn = (file: number): boolean => {
  const { size } = fstatSync(file)
  const last = Buffer.alloc(1)
  return size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a
}
