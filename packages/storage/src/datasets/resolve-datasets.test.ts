import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, realpath, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { DatasetResolution } from '@nirs-workspace/types'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StorageError } from '../errors.ts'
import { quickHash } from './content-hash.ts'
import { HashCache } from './hash-cache.ts'
import { lookAtPath, openFile } from './look-at-path.ts'
import { type DatasetSourceInput, resolveDatasets } from './resolve-datasets.ts'

const withFolder = async (play: (root: string) => Promise<void>) => {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'datasets-')))
  try {
    await play(root)
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

const put = async (root: string, path: string, content: string): Promise<string> => {
  const file = join(root, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, content)
  return file
}

const sha256 = (content: string) => `sha256:${createHash('sha256').update(content).digest('hex')}`

/** As the design review states it, for contents up to 64 kB. */
const quick = (content: string) =>
  createHash('md5')
    .update(content)
    .update(String(Buffer.byteLength(content)))
    .digest('hex')
    .slice(0, 16)

const recorded = (path: string, content: string, more: Partial<DatasetSourceInput> = {}): DatasetSourceInput => ({
  name: 'wheat',
  path,
  hash: sha256(content),
  file_size: Buffer.byteLength(content),
  quick_hash: quick(content),
  ...more,
})

const one = async (source: DatasetSourceInput, options: Parameters<typeof resolveDatasets>[1]): Promise<DatasetResolution> => {
  const [answer] = await resolveDatasets([source], options)
  if (answer === undefined) throw new Error('no answer')
  return answer
}

describe('test_dataset_path_resolver: where the file of a dataset is', () => {
  it('test_resolve_original_path: valid, verified as far as something is recorded', () =>
    withFolder(async (root) => {
      const path = await put(root, 'in/wheat.csv', 'a;b\n1;2\n')
      const levels = [
        [recorded(path, 'a;b\n1;2\n'), 'full_hash'],
        [recorded(path, 'a;b\n1;2\n', { hash: null }), 'quick_hash'],
        [recorded(path, 'a;b\n1;2\n', { hash: null, quick_hash: null }), 'size'],
        [{ name: 'wheat', path }, 'existence'],
        [{ name: 'wheat', path: 'in/wheat.csv' }, 'existence'],
      ] as const
      for (const [source, verified_by] of levels)
        expect(await one(source, { roots: [root] })).toMatchObject({ status: 'valid', path, verified_by, found_by: 'original_path' })
      expect(await one({ name: 'folder', path: join(root, 'in') }, { roots: [] })).toMatchObject({ status: 'valid', kind: 'folder' })
      expect(await one(recorded(path, 'x', { hash: 'merged', file_size: null, quick_hash: null }), { roots: [] })).toMatchObject({
        status: 'valid',
        verified_by: 'existence',
        detail: 'The recorded hash is not a SHA-256 and was not compared.',
      })
    }))

  it('test_resolve_relocated: with its folder, beside, in data and in datasets, also from another system', () =>
    withFolder(async (root) => {
      const path = await put(root, 'projects/cereals/wheat.csv', 'one')
      await put(root, 'wheat.csv', 'two')
      const inData = await put(root, 'data/corn.csv', 'corn')
      expect(await one(recorded('C:\\Users\\me\\projects\\cereals\\wheat.csv', 'one'), { roots: [root] })).toMatchObject({
        status: 'relocated',
        path,
        found_by: 'relative_path',
        verified_by: 'full_hash',
      })
      expect(await one(recorded('/old/wheat.csv', 'two'), { roots: [root] })).toMatchObject({
        status: 'relocated',
        path: join(root, 'wheat.csv'),
      })
      expect(await one(recorded('/old/corn.csv', 'corn'), { roots: [root] })).toMatchObject({ status: 'relocated', path: inData })
      const [far, near] = [await put(root, 'b/barley/data.csv', 'b'), await put(root, 'a/data.csv', 'a')]
      const roots = [dirname(near), join(root, 'b')]
      expect(await one({ name: 'barley', path: '/old/barley/data.csv' }, { roots })).toMatchObject({ status: 'relocated', path: far })
    }))

  it('test_resolve_found_by_hash: renamed, by full hash or by quick hash alone; the same answer with several copies', () =>
    withFolder(async (root) => {
      const path = await put(root, 'x/renamed.csv', 'content')
      await put(root, 'x/decoy.csv', 'tnetnoc')
      expect(await one(recorded('/old/wheat.csv', 'content'), { roots: [root] })).toMatchObject({
        status: 'found_by_hash',
        path,
        found_by: 'full_hash',
      })
      expect(await one(recorded('/old/wheat.csv', 'content', { hash: null }), { roots: [root] })).toMatchObject({
        status: 'found_by_hash',
        path,
        verified_by: 'quick_hash',
      })
      expect(await one(recorded('/old/wheat.csv', 'content', { file_size: null, quick_hash: null }), { roots: [root] })).toMatchObject({
        path,
      })
      const copy = await put(root, 'z/deeper/wheat.csv', 'content')
      expect(await one(recorded('/old/wheat.csv', 'content'), { roots: [root, join(root, 'x')] })).toMatchObject({
        path: copy,
        also_at: [path],
      })
    }))

  it('test_resolve_by_size: a name and a size are taken together; a size alone, another size and two files of one name prove nothing', () =>
    withFolder(async (root) => {
      const path = await put(root, 'a/b/wheat.csv', '12345')
      const other = await put(root, 'a/b/oats.csv', '54321')
      const sized = (name: string) => ({ name: 'd', path: `/old/${name}`, file_size: 5 })
      expect(await one(sized('wheat.csv'), { roots: [root] })).toMatchObject({
        status: 'relocated',
        path,
        found_by: 'size',
        verified_by: 'size',
      })
      expect(await one(sized('rye.csv'), { roots: [root] })).toMatchObject({ status: 'missing', path: null, possible: [other, path] })
      expect(await one({ name: 'd', path, file_size: 6 }, { roots: [root] })).toMatchObject({
        status: 'hash_mismatch',
        detail: expect.stringContaining('it has 5 bytes, not 6'),
      })
      const namesake = await put(root, 'c/wheat.csv', '67890')
      const several = { status: 'missing', path: null, possible: [namesake, path] }
      expect(await one(sized('wheat.csv'), { roots: [root] })).toMatchObject(several)
    }))

  it('test_resolve_hash_mismatch: something else is at the recorded path; where the recorded content went is said', () =>
    withFolder(async (root) => {
      const path = await put(root, 'in/wheat.csv', 'new content')
      const moved = await put(root, 'backup/wheat-2025.csv', 'old content')
      expect(await one(recorded(path, 'old content'), { roots: [root] })).toMatchObject({
        status: 'hash_mismatch',
        path,
        alternative_path: moved,
        detail: 'Another file is at the recorded path: its head or tail differs.',
      })
      expect(await one(recorded(path, 'shorter'), { roots: [root] })).toMatchObject({ status: 'hash_mismatch', alternative_path: null })
      expect(await one(recorded(dirname(path), 'old content'), { roots: [root] })).toMatchObject({
        status: 'hash_mismatch',
        kind: 'folder',
        verified_by: null,
        alternative_path: moved,
        detail: 'A folder is at the recorded path.',
      })
    }))

  it('test_resolve_missing: nowhere, or nothing recorded; an incomplete search says so', () =>
    withFolder(async (root) => {
      await put(root, 'a.csv', 'a')
      await put(root, 'b.csv', 'b')
      expect(await one(recorded('/old/wheat.csv', 'content'), { roots: [root] })).toMatchObject({
        status: 'missing',
        search_complete: true,
      })
      expect(await one({ name: 'dataset' }, { roots: [root] })).toMatchObject({
        status: 'missing',
        detail: 'Nothing is recorded about its file.',
      })
      expect(await one(recorded('/old/w.csv', 'content'), { roots: [root], maxFiles: 1 })).toMatchObject({
        search_complete: false,
        detail: 'the search stopped after 1 files.',
      })
      expect(await one(recorded('/old/\0.csv', 'c'), { roots: [root, join(root, 'absent')] })).toMatchObject({ status: 'missing' })
      for (const gone of [join(root, 'absent'), join(root, 'a.csv')]) {
        expect(await one(recorded('/old/w.csv', 'content'), { roots: [root, gone] })).toMatchObject({
          search_complete: false,
          detail: `${gone} is no folder that can be searched.`,
        })
      }
    }))

  it('N10: pipes, devices, stores and links out of the roots are never opened', () =>
    withFolder(async (root) => {
      const pipe = join(root, 'pipe.csv')
      execFileSync('mkfifo', [pipe])
      expect(await one(recorded(pipe, 'x'), { roots: [root] })).toMatchObject({ status: 'unreadable', path: pipe })
      expect(await one({ name: 'zero', path: '/dev/zero' }, { roots: [root] })).toMatchObject({ status: 'unreadable' })
      const store = await put(root, 'ws/store.duckdb', 'store')
      const cache = new HashCache()
      expect(await one(recorded(store, 'store'), { roots: [root], cache })).toMatchObject({ status: 'unreadable' })
      expect(await one(recorded('/old/x.csv', 'store', { quick_hash: null }), { roots: [root], cache })).toMatchObject({
        status: 'missing',
      })
      const secret = await put(root, 'outside/secret.csv', 'secret')
      await mkdir(join(root, 'inside'))
      await symlink(secret, join(root, 'inside/wheat.csv'))
      await symlink(join(root, 'outside'), join(root, 'inside/data'))
      const answer = await one(recorded('/old/wheat.csv', 'secret'), { roots: [join(root, 'inside')], cache })
      expect(answer).toMatchObject({ status: 'missing' })
      expect(await one(recorded(secret, 'secret'), { roots: [], cache, confineTo: [join(root, 'inside')] })).toMatchObject({
        status: 'missing',
      })
      expect(cache.reads).toBe(0)
      await expect(openFile(join(root, 'inside/wheat.csv'))).rejects.toThrow()
      await expect(openFile(pipe)).rejects.toThrow()
    }))

  it('test_unreadable: what may not be read is not called missing', () =>
    withFolder(async (root) => {
      // The administrator may read any file of a disk, but on Linux nobody reads the first byte of a process's memory.
      const path = process.platform === 'linux' ? '/proc/self/mem' : await put(root, 'wheat.csv', 'x')
      if (process.platform !== 'linux') await chmod(path, 0)
      const answer = await one({ name: 'wheat', path, hash: sha256('x') }, { roots: [root] })
      expect(answer).toMatchObject({ status: 'unreadable', path, detail: expect.stringContaining('The recorded path cannot be examined') })
    }))

  it('test_hash_cached: by path, size and time of change', () =>
    withFolder(async (root) => {
      const path = await put(root, 'wheat.csv', 'content')
      const cache = new HashCache()
      const source = recorded(path, 'content', { quick_hash: null })
      const options = { roots: [root], cache }
      expect((await resolveDatasets([source, source, source], options)).map(({ status }) => status)).toEqual(['valid', 'valid', 'valid'])
      await resolveDatasets([source], options)
      expect(cache.reads).toBe(1)
      await writeFile(path, 'tnetnoc')
      await utimes(path, 1, 1)
      expect((await one(source, options)).status).toBe('hash_mismatch')
      await rename(path, join(root, 'other.csv'))
      expect((await one(source, options)).status).toBe('missing')
    }))

  it('test_hash_cached: files of one size and time that change places do not keep the hash of the other', () =>
    withFolder(async (root) => {
      const [a, b, aside] = [await put(root, 'a.spc', 'one'), await put(root, 'b.spc', 'two'), join(root, 'aside')]
      for (const path of [a, b]) await utimes(path, 1, 1)
      const options = { roots: [root], cache: new HashCache() }
      const statuses = async () => (await resolveDatasets([recorded(a, 'one'), recorded(b, 'two')], options)).map(({ status }) => status)
      expect(await statuses()).toEqual(['valid', 'valid'])
      await rename(a, aside)
      await rename(b, a)
      await rename(aside, b)
      expect(await statuses()).toEqual(['hash_mismatch', 'hash_mismatch'])
    }))

  it('test_changed_while_read: a file that is no longer the one that was looked at has no hash', () =>
    withFolder(async (root) => {
      const path = await put(root, 'wheat.csv', 'content')
      const look = await lookAtPath(path)
      if (look.kind !== 'file') throw new Error('no file')
      await writeFile(path, 'tnetnoc')
      await utimes(path, 1, 1)
      const cache = new HashCache()
      for (const kind of ['quick', 'full'] as const) await expect(cache.hashOf(look, kind)).rejects.toMatchObject({ code: 'EBUSY' })
    }))

  it('test_size_first: files of another size are never read', () =>
    withFolder(async (root) => {
      for (let length = 1; length <= 30; length++) await put(root, `f${length}.csv`, 'x'.repeat(length))
      const cache = new HashCache()
      expect(await one(recorded('/old/wheat.csv', 'x'.repeat(17)), { roots: [root], cache })).toMatchObject({ path: join(root, 'f17.csv') })
      expect(cache.reads).toBe(2)
    }))

  it('test_quick_hash: head, tail and size as the design review defines it', () =>
    withFolder(async (root) => {
      const content = Buffer.alloc(300_000, 'spectra')
      const path = join(root, 'big.bin')
      await writeFile(path, content)
      const handle = await openFile(path)
      const expected = createHash('md5').update(content.subarray(0, 65_536)).update(content.subarray(-65_536)).update('300000')
      expect(await quickHash(handle, content.length)).toBe(expected.digest('hex').slice(0, 16))
      await handle.close()
    }))

  it('test_abort: stops before and during the work with the reason given', () =>
    withFolder(async (root) => {
      const path = await put(root, 'wheat.csv', 'x'.repeat(3_000_000))
      const stop = new AbortController()
      const cancelled = new StorageError('cancelled', 'Stopped.')
      const running = resolveDatasets([recorded(path, 'x'.repeat(3_000_000), { quick_hash: null })], { roots: [root], signal: stop.signal })
      stop.abort(cancelled)
      await expect(running).rejects.toBe(cancelled)
      await expect(resolveDatasets([], { roots: [], signal: stop.signal })).rejects.toBe(cancelled)
    }))

  it('test_validation: malformed input is refused before anything is read', async () => {
    await expect(resolveDatasets([{ name: 'x', file_size: -1 }], { roots: [] })).rejects.toThrow(/Nothing was read/)
  })

  it('test_random_trees: a file moved anywhere below the roots is found, whatever lies around; one that is not there is not', () =>
    fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(
          fc.tuple(fc.array(fc.constantFrom('a', 'b', 'data', 'é'), { maxLength: 3 }), fc.constantFrom('w.csv', 'x.csv', 'y.txt')),
          {
            minLength: 1,
            maxLength: 8,
            selector: ([folders, name]) => [...folders, name].join('/'),
          },
        ),
        fc.array(fc.constantFrom('one', 'two', 'six', 'three'), { minLength: 8, maxLength: 8 }),
        fc.constantFrom('one', 'two', 'absent'),
        fc.boolean(),
        (places, contents, wanted, knowsSize) =>
          withFolder(async (root) => {
            const files = new Map<string, string>()
            for (const [index, [folders, name]] of places.entries()) {
              const content = contents[index] ?? ''
              files.set(await put(root, join(...folders, name), content), content)
            }
            const source = recorded('/old/w.csv', wanted, knowsSize ? {} : { path: null, file_size: null, quick_hash: null })
            const answer = await one(source, { roots: [root], concurrency: 3 })
            const holders = [...files].filter(([, content]) => content === wanted).map(([path]) => path)
            if (holders.length === 0) expect(answer).toMatchObject({ status: 'missing', path: null, search_complete: true })
            else {
              expect(holders).toContain(answer.path)
              expect(['relocated', 'found_by_hash']).toContain(answer.status)
              if (answer.status === 'found_by_hash') expect([answer.path, ...answer.also_at].toSorted()).toEqual(holders.toSorted())
            }
          }),
      ),
      { numRuns: 80 },
    ))
})
