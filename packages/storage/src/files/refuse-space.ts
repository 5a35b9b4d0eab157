import { StorageError } from '../errors.ts'

interface Space {
  /** Bytes. */
  readonly needed: number
  readonly available: number
}

/** Throws `no_space`, before anything is written, when a disk has less than is needed. `who` begins the sentence: "The merge needs about". */
export const refuseWithoutSpace = (who: string, { needed, available }: Space, disk = 'the workspace'): void => {
  if (available >= needed) return
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`
  throw new StorageError(
    'no_space',
    `${who} ${megabytes(needed)} of free disk space and finds ${megabytes(available)}. Nothing was changed.`,
    { hint: `Free ${megabytes(needed - available)} on the disk of ${disk} and try again.` },
  )
}
