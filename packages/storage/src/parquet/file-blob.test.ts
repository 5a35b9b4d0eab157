import { closeSync, ftruncateSync, openSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FileBlob } from './file-blob.ts'

const content = Uint8Array.from({ length: 300 }, (_, index) => index * 7)
let folder: string
let fd: number

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nirs-workspace-blob-'))
  writeFileSync(join(folder, 'file'), content)
  fd = openSync(join(folder, 'file'), 'r+')
})
afterAll(async () => {
  closeSync(fd)
  await rm(folder, { recursive: true })
})

describe('FileBlob', () => {
  it('slices as a blob in memory does, whatever the ends', async () => {
    const position = fc.option(fc.integer({ min: -400, max: 400 }), { nil: undefined })
    await fc.assert(
      fc.asyncProperty(position, position, position, position, async (a, b, c, d) => {
        const expected = new Blob([content]).slice(a, b).slice(c, d)
        const found = new FileBlob(fd, 0, content.length).slice(a, b).slice(c, d)
        expect(found.size).toBe(expected.size)
        expect(new Uint8Array(await found.arrayBuffer())).toEqual(new Uint8Array(await expected.arrayBuffer()))
      }),
    )
  })

  it('gives what there is of a file that has become shorter', async () => {
    const blob = new FileBlob(fd, 0, content.length)
    ftruncateSync(fd, 100)
    expect((await blob.slice(90).arrayBuffer()).byteLength).toBe(10)
    expect((await blob.slice(200).arrayBuffer()).byteLength).toBe(0)
  })
})
