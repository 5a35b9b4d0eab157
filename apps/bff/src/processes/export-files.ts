import type { Log } from '../log.ts'

export class ExportFiles {
  readonly #folder: string
  readonly #log: Log
  constructor(cacheFolder: string, log: Log) {
    this.#folder = cacheFolder
    this.#log = log
  }
  close(): Promise<void> {
    this.#log.info('closed', { folder: this.#folder })
    return Promise.resolve()
  }
}
