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
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { JobOutcome } from '../children/job-messages.ts'
import { isTerminal, JobRecord, withRecord } from './job-record.ts'

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
      writeFileSync(file, `${endsTorn(file) ? '\n' : ''}${JSON.stringify(record)}\n`)
      if (isTerminal(record.job)) fsyncSync(file)
    } finally {
      closeSync(file)
    }
  }

  /** Puts these events in the place of all that were written of their job. */
  replace(jobId: string, records: readonly JobRecord[]): void {
    const folder = this.folderOf(jobId)
    const beside = join(folder, `.events-${process.pid}.tmp`)
    const file = openSync(beside, 'w', 0o600)
    try {
      writeFileSync(file, records.map((record) => `${JSON.stringify(record)}\n`).join(''))
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(beside, join(folder, 'events.ndjson'))
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

  /** How the job's process ended, if it got that far: what a full disk cut short, or another release wrote, says nothing. */
  readOutcome(jobId: string): JobOutcome | undefined {
    const path = join(this.folderOf(jobId), 'outcome.json')
    if (!existsSync(path)) return undefined
    return JobOutcome.safeParse(parseJson(readFileSync(path, 'utf8'))).data
  }

  /** Events of one job, in order of seq, without past progress. */
  load(jobId: string): JobRecord[] {
    const path = join(this.folderOf(jobId), 'events.ndjson')
    if (!existsSync(path)) return []
    let records: JobRecord[] = []
    for (const line of linesOf(readFileSync(path))) records = parseLine(line).reduce(withRecord, records)
    return records
  }
}

const lastSeq = (records: readonly JobRecord[]): number => records.at(-1)?.jobs_seq ?? 0

/** One after the other: earlier versions wrote more than fits into one text. */
function* linesOf(bytes: Buffer): Generator<string> {
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(0x0a, start)
    const end = found === -1 ? bytes.length : found
    yield bytes.toString('utf8', start, end)
    start = end + 1
  }
}

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
