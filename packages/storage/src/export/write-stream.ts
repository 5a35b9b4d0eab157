import { open } from 'node:fs/promises'
import { faultPoint } from '../files/fault-point.ts'

/** Writes a new file piece by piece, as fast as the disk takes them. It is not flushed: whoever gives it its name does that first. */
export const writePieces = async (path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> => {
  await faultPoint({ kind: 'engine-write', path })
  const handle = await open(path, 'wx', 0o644)
  try {
    for await (const piece of pieces) await handle.writeFile(piece)
  } finally {
    await handle.close()
  }
}
