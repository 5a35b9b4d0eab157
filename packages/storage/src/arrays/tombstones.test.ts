import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readTombstones, readTombstonesIfSound } from './tombstones.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nirs-tombstones-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const write = (text: string) => writeFile(join(folder, '_tombstones.json'), text)

describe('readTombstones', () => {
  it('reads what the library writes; no file and no folder mean none', async () => {
    expect(await readTombstones(folder)).toEqual(new Map())
    expect(await readTombstones(join(folder, 'absent'))).toEqual(new Map())
    await write('{"a": "2026-01-02T03:04:05+00:00"}')
    expect(await readTombstones(folder)).toEqual(new Map([['a', '2026-01-02T03:04:05+00:00']]))
  })

  it('N4: takes __proto__ and constructor as ids', async () => {
    await write('{"__proto__": "2026-01-02T03:04:05+00:00", "constructor": "2026-01-02T03:04:05+00:00"}')
    expect([...(await readTombstones(folder)).keys()]).toEqual(['__proto__', 'constructor'])
    expect(Object.hasOwn({}, 'polluted')).toBe(false)
  })

  it.each(['', '[]', 'null', '{"a": "2026', '\ufeff{}', '"x"', '{"a": 3}', '{"a": {"b": {}}}', '12'])(
    'P9: %j is damaged, not empty',
    async (text) => {
      await write(text)
      await expect(readTombstones(folder)).rejects.toMatchObject({ code: 'tombstones_corrupt' })
      expect(await readTombstonesIfSound(folder)).toBeNull()
    },
  )

  it('N10: does not follow a link and does not wait on a pipe', async () => {
    await writeFile(join(folder, 'other.json'), '{}')
    await symlink(join(folder, 'other.json'), join(folder, '_tombstones.json'))
    await expect(readTombstones(folder)).rejects.toMatchObject({ code: 'tombstones_corrupt' })
    await rm(join(folder, '_tombstones.json'))
    execFileSync('mkfifo', [join(folder, '_tombstones.json')])
    await expect(readTombstones(folder)).rejects.toMatchObject({ code: 'tombstones_corrupt' })
  })
})
