import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Finding } from '@nirs-workspace/types'
import * as z from 'zod'
import { systemCode } from '../errors.ts'
import { makeFolder } from '../files/disk.ts'
import { unlinkIfThere } from '../files/move-file.ts'
import { writeJsonDurably } from '../files/write-durably.ts'

const ScrubbedFile = z.object({
  /** Size and time: a file that has changed since is checked from its beginning. */
  bytes: z.number(),
  mtime_ns: z.string(),
  groups_done: z.number().int(),
  findings: z.array(Finding),
})
export type ScrubbedFile = z.infer<typeof ScrubbedFile>
const Saved = z.object({ format: z.literal('nirs-workspace/scrub/1'), root: z.string(), files: z.record(z.string(), ScrubbedFile) })

const saveEvery = 2000

/**
 * How far a deep check has come, row group by row group, in a file outside of the workspace: a check that was stopped goes on from there.
 * Without a path it remembers nothing. A state that cannot be read, or of another workspace, is none.
 */
export class ScrubState {
  readonly #path: string | null
  readonly #root: string
  readonly #files: Map<string, ScrubbedFile>
  #savedAt = performance.now()

  private constructor(path: string | null, root: string, files: Map<string, ScrubbedFile>) {
    this.#path = path
    this.#root = root
    this.#files = files
  }

  static async open(path: string | undefined, root: string): Promise<ScrubState> {
    if (path === undefined) return new ScrubState(null, root, new Map())
    const saved = await readSaved(path)
    return new ScrubState(path, root, new Map(saved === null || saved.root !== root ? [] : Object.entries(saved.files)))
  }

  /** What is known of a file as it is now. */
  of(file: string, mark: { bytes: number; mtime_ns: string }): ScrubbedFile {
    const known = this.#files.get(file)
    if (known !== undefined && known.bytes === mark.bytes && known.mtime_ns === mark.mtime_ns) return known
    return { ...mark, groups_done: 0, findings: [] }
  }

  async note(file: string, done: ScrubbedFile): Promise<void> {
    this.#files.set(file, done)
    if (performance.now() - this.#savedAt >= saveEvery) await this.save()
  }

  async save(): Promise<void> {
    if (this.#path === null) return
    await makeFolder(dirname(this.#path))
    await writeJsonDurably(this.#path, { format: 'nirs-workspace/scrub/1', root: this.#root, files: Object.fromEntries(this.#files) })
    this.#savedAt = performance.now()
  }

  /** The check has come to its end: the next one begins anew. */
  async forget(): Promise<void> {
    if (this.#path !== null) await unlinkIfThere(this.#path)
  }
}

const readSaved = async (path: string): Promise<z.infer<typeof Saved> | null> => {
  try {
    const parsed = Saved.safeParse(JSON.parse(await readFile(path, 'utf8')))
    return parsed.success ? parsed.data : null
  } catch (error) {
    if (error instanceof SyntaxError || ['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return null
    throw error
  }
}
