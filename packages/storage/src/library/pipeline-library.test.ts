import { appendFile, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SavedTemplate } from '@nirs-workspace/types'
import { afterEach, describe, expect, it } from 'vitest'
import { isStorageError } from '../errors.ts'
import { setFaultHook } from '../files/fault-point.ts'
import { PipelineLibrary } from './pipeline-library.ts'
import { readAll, withPlayground, writeLikeNirs4all } from './testing/library-fixture.ts'

const pls = { pipeline: [{ class: 'sklearn.preprocessing._data.MinMaxScaler' }, { model: 'PLSRegression', n_components: 6 }] }
const ridge = { pipeline: [{ model: 'Ridge', alpha: 0.5 }] }

const withLibrary = (play: (library: PipelineLibrary, place: { folder: string; workspace: string }) => Promise<void>) =>
  withPlayground((place) => play(new PipelineLibrary(place.workspace), place))

const codeOf = async (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error: unknown) => (isStorageError(error) ? error.code : Promise.reject(error)),
  )

const names = (saved: { rows: { name: string }[] }) => saved.rows.map(({ name }) => name)

afterEach(() => setFaultHook(undefined))

describe('test_pipeline_library: templates of a workspace', () => {
  it('test_save_template: writes the layout that nirs4all reads', () =>
    withLibrary(async (library, { workspace }) => {
      const saved = await library.save({
        name: 'Optimized PLS',
        category: 'regression',
        tags: ['nirs'],
        metrics: { rmse: 0.42 },
        pipeline: pls,
      })
      expect(saved).toMatchObject({ status: 'created', warnings: [], trash_id: null })
      const folder = join(workspace, 'library/regression/optimized_pls')
      expect(JSON.parse(await readFile(join(folder, 'pipeline.json'), 'utf8'))).toEqual(pls)
      expect(JSON.parse(await readFile(join(folder, 'metadata.json'), 'utf8'))).toEqual({
        name: 'Optimized PLS',
        category: 'regression',
        description: '',
        tags: ['nirs'],
        metrics: { rmse: 0.42 },
        notes: '',
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/),
        modified_at: expect.any(String),
        version: '1.0',
        content_hash: saved.template.content_hash,
      })
      expect(await readFile(join(folder, 'README.md'), 'utf8')).toContain('- **rmse**: 0.42')
      expect([...(await readAll(join(workspace, 'library/.staging'))).keys()]).toEqual([])
    }))

  it('test_load_template: gives back value and exact text', () =>
    withLibrary(async (library) => {
      await library.save({
        name: 'forest',
        pipeline_json: '[{"model": "RandomForestRegressor", "max_features": 1.0, "seed": 18446744073709551615, "x": NaN}]',
      })
      const loaded = await library.load({ name: 'forest' })
      expect(loaded.pipeline).toEqual({
        pipeline: [{ model: 'RandomForestRegressor', max_features: 1, seed: '18446744073709551615', x: 'NaN' }],
      })
      expect(loaded.pipeline_json).toContain('"max_features": 1.0,')
      expect(loaded.pipeline_json).toContain('"seed": 18446744073709551615,')
      const again = await library.save({ name: 'forest 2', pipeline_json: loaded.pipeline_json })
      expect(again).toMatchObject({ status: 'identical', template: { name: 'forest' } })
    }))

  it('test_list_templates: by category, by any of the tags; an empty list of tags is no wildcard', () =>
    withLibrary(async (library) => {
      expect(await library.list()).toEqual({ rows: [], total: 0, categories: [], tags: [], unreadable: [] })
      await library.save({ name: 'b', category: 'regression', tags: ['pls', 'nirs'], pipeline: pls })
      await library.save({ name: 'a', category: 'regression', tags: ['ridge'], pipeline: ridge })
      await library.save({ name: 'c', category: 'Classification', tags: ['nirs'], pipeline: [1] })
      expect(names(await library.list())).toEqual(['c', 'a', 'b'])
      expect(names(await library.list({ category: 'regression' }))).toEqual(['a', 'b'])
      expect(names(await library.list({ tags: ['ridge', 'nirs'] }))).toEqual(['c', 'a', 'b'])
      expect(names(await library.list({ category: 'regression', tags: ['nirs'] }))).toEqual(['b'])
      expect(names(await library.list({ tags: [] }))).toEqual([])
      expect((await library.list()).tags).toContainEqual({ name: 'nirs', count: 2 })
    }))

  it('test_search_templates: in name, tags, description and pipeline, whatever case and accents', () =>
    withLibrary(async (library) => {
      await library.save({ name: 'Blé dur', description: 'protein of whole grain', tags: ['cereal'], pipeline: pls })
      await library.save({ name: 'oil', description: 'better than PLSRegression', pipeline: ridge })
      expect(names(await library.search('BLE'))).toEqual(['Blé dur'])
      expect((await library.search('plsregression')).rows.map(({ name, matched }) => [name, matched])).toEqual([
        ['oil', ['description']],
        ['Blé dur', ['content']],
      ])
      expect(names(await library.search('grain cereal n_components'))).toEqual(['Blé dur'])
      expect(names(await library.search('grain ridge'))).toEqual([])
      expect((await library.search('', { tags: ['cereal'] })).total).toBe(1)
    }))

  it('test_content_addressed: the same pipeline is recognised whatever the order of its keys, and kept twice on request only', () =>
    withLibrary(async (library) => {
      const first = await library.save({ name: 'one', pipeline_json: '{"pipeline": [{"model": "PLS", "n": 6}]}' })
      const second = await library.save({ name: 'two', pipeline_json: '[{"n":6,"model":"PLS"}]' })
      expect(second).toMatchObject({ status: 'identical', template: { id: first.template.id } })
      expect((await library.save({ name: 'two', pipeline_json: '[{"n":6,"model":"PLS"}]', keep_duplicate: true })).status).toBe('created')
      const rows = (await library.list()).rows
      expect(rows.map(({ name, content_hash }) => [name, content_hash])).toEqual([
        ['one', first.template.content_hash],
        ['two', first.template.content_hash],
      ])
    }))

  it('test_overwrite: refused unless asked for; the old version goes to the trash and comes back', () =>
    withLibrary(async (library) => {
      const created = await library.save({ name: 'best', metrics: { rmse: 1 }, pipeline: pls })
      expect((await library.save({ name: 'best', metrics: { rmse: 1 }, pipeline: pls })).status).toBe('unchanged')
      expect(await codeOf(library.save({ name: 'best', pipeline: ridge }))).toBe('validation')
      const replaced = await library.save({ name: 'best', metrics: { rmse: 2 }, pipeline: ridge, overwrite: true })
      expect(replaced).toMatchObject({ status: 'replaced', template: { id: created.template.id, metrics: { rmse: 2 } } })
      expect(replaced.template.created_at).toBe(created.template.created_at)
      const updated = await library.save({ name: 'best', tags: ['new'], pipeline: ridge, overwrite: true })
      expect(updated.status).toBe('updated')
      expect((await library.trash()).map(({ reason }) => reason)).toEqual(['replaced', 'replaced'])
      const back = replaced.trash_id ?? ''
      expect(await codeOf(library.restore(back))).toBe('validation')
      expect(await library.restore(back, { overwrite: true })).toMatchObject({ metrics: { rmse: 1 }, changed_since_saved: false })
      expect((await library.load({ name: 'best' })).pipeline).toEqual(pls)
    }))

  it('test_delete_template: moves to the trash, restores byte for byte, empties on request', () =>
    withLibrary(async (library, { workspace }) => {
      await library.save({ name: 'stays', pipeline: ridge })
      await library.save({ name: 'goes', category: 'tmp', notes: 'why', pipeline: pls })
      const before = await readAll(join(workspace, 'library/tmp'))
      const { trash_id } = await library.delete({ name: 'goes' })
      expect(names(await library.list())).toEqual(['stays'])
      expect(await library.trash()).toMatchObject([{ trash_id, name: 'goes', category: 'tmp', reason: 'deleted' }])
      expect(await library.restore(trash_id)).toMatchObject({ name: 'goes', category: 'tmp', notes: 'why' })
      expect(await readAll(join(workspace, 'library/tmp'))).toEqual(before)
      expect(await library.trash()).toEqual([])
      await library.delete({ name: 'goes' })
      expect(await codeOf(library.emptyTrash(['../general']))).toBe('trash_not_found')
      expect(await library.emptyTrash()).toEqual({ removed: 1 })
      expect(names(await library.list())).toEqual(['stays'])
      expect(await codeOf(library.delete({ name: 'goes' }))).toBe('template_not_found')
    }))

  it('test_copy_from_pipeline: takes the text of expanded_config and warns of what cannot be replayed', () =>
    withLibrary(async (library) => {
      const row = {
        pipeline_id: 'p1',
        name: 'screen_p0',
        dataset_name: 'grain_protein',
        expanded_config: '["sklearn.preprocessing._data.MinMaxScaler", {"model": "PLS", "tol": 1e-06, "scale": 1.0}]',
        metric: 'rmse',
        best_val: 0.4,
        best_test: 0,
      }
      const saved = await library.copyFromPipeline(row, { name: 'from screen' })
      expect(saved.template).toMatchObject({ metrics: { val_rmse: 0.4 }, notes: 'Copied from pipeline screen_p0 (p1) on grain_protein.' })
      expect((await library.load({ name: 'from screen' })).pipeline_json).toContain('"scale": 1.0')
      const refit = { ...row, expanded_config: '[{"splitter": "<nirs4all.x._FullTrainFoldSplitter object at 0x7f12ab>"}]' }
      expect((await library.copyFromPipeline(refit, { name: 'refit' })).warnings).toEqual([
        '/pipeline/0/splitter holds <nirs4all.x._FullTrainFoldSplitter object at 0x7f12ab>, which nirs4all cannot turn back into an object.',
      ])
    }))

  it('test_export_import: a file travels to another workspace; a changed one is refused', () =>
    withLibrary(async (library, { folder, workspace }) => {
      await mkdir(join(folder, 'other'))
      const other = new PipelineLibrary(join(folder, 'other'))
      const file = join(folder, 'best.json')
      await library.save({
        name: 'T:One',
        category: 'a/b',
        tags: ['x'],
        metrics: { r2: 'NaN', rmse: 1 },
        notes: 'n',
        pipeline_json: '[1.0, 1]',
      })
      await writeFile(join(workspace, 'store.duckdb'), 'the only copy')
      await symlink(join(workspace, 'library'), join(folder, 'link'))
      const before = await readAll(workspace)
      const inside = ['workspace/store.duckdb', 'workspace/template.json', 'link/template.json'].map((name) => join(folder, name))
      const refused = inside.map((path) => codeOf(library.export({ name: 'T:One' }, path, { overwrite: true })))
      expect(await Promise.all(refused)).toEqual(inside.map(() => 'path_not_allowed'))
      expect(await readAll(workspace)).toEqual(before)
      expect(await codeOf(library.export({ name: 'T:One' }, join(folder, 'absent', 'best.json')))).toBe('write_failed')
      const { content_hash } = await library.export({ name: 'T:One' }, file)
      expect(await codeOf(library.export({ name: 'T:One' }, file))).toBe('path_not_allowed')
      expect(await other.import(file)).toMatchObject({
        status: 'created',
        template: { name: 'T:One', category: 'a/b', tags: ['x'], metrics: { r2: 'NaN', rmse: 1 }, notes: 'n', content_hash },
      })
      expect((await other.import(file)).status).toBe('unchanged')
      expect((await other.import(file, { name: 'again' })).status).toBe('identical')
      await writeFile(file, (await readFile(file, 'utf8')).replace('1.0,', '2.0,'))
      expect(await codeOf(other.import(file))).toBe('verification_failed')
      const exported = await writeLikeNirs4all(workspace, 'general', 'legacy', 'Legacy', '{"pipeline": ["SNV"]}')
      expect((await other.import(exported, { category: 'got' })).template).toMatchObject({
        name: 'Legacy',
        category: 'got',
        metrics: { rmse: 0.42 },
      })
      await writeFile(join(folder, 'bare.json'), '["MSC", {"model": "PLS"}]')
      expect((await other.import(join(folder, 'bare.json'))).template).toMatchObject({ name: 'bare', category: 'general' })
      expect(await codeOf(other.import(join(folder, 'absent.json')))).toBe('template_not_found')
      expect(await codeOf(other.import(join(folder, 'beside.txt')))).toBe('validation')
    }))

  it('test_read_back: what could not be read back is not written; what is near the bounds is saved, exported and imported', () =>
    withLibrary(async (library, { folder, workspace }) => {
      const nested = (levels: number) => ({ pipeline_json: '['.repeat(levels) + ']'.repeat(levels) })
      await library.save({ name: 'old', pipeline: [1] })
      const before = await readAll(workspace)
      for (const [pipeline, reason] of [
        [nested(501), 'nested more than 500 levels deep'],
        [{ pipeline: [10n ** 5000n] }, 'an integer of more than 4300 digits'],
        [{ pipeline: ['x'.repeat(16_000_000)] }, 'larger than 16000000 bytes'],
      ] as const) {
        const refused = { code: 'validation', message: expect.stringContaining(`${reason}. Nothing was changed.`) }
        await expect(library.save({ name: 'new', ...pipeline })).rejects.toMatchObject(refused)
        await expect(library.save({ name: 'old', overwrite: true, ...pipeline })).rejects.toMatchObject(refused)
      }
      expect(await readAll(workspace)).toEqual(before)
      const file = join(folder, 'deep.json')
      await library.save({ name: 'deep', ...nested(500) })
      await library.export({ name: 'deep' }, file)
      // A template of almost 16 MB makes an export of more.
      await appendFile(file, ' '.repeat(16_000_000))
      expect(await library.import(file, { name: 'again' })).toMatchObject({ status: 'identical', template: { name: 'deep' } })
    }))

  it('test_read_nirs4all_layout: reads what the library wrote, also bare lists and missing metadata, and says what is damaged', () =>
    withLibrary(async (library, { workspace }) => {
      const folder = await writeLikeNirs4all(workspace, 'regression', 'optimized_pls', 'Optimized PLS', '["SNV", {"x": NaN}]')
      const bare = await writeLikeNirs4all(workspace, 'regression', 'bare', 'x', '{}')
      await rm(join(bare, 'metadata.json'))
      const damaged = await writeLikeNirs4all(workspace, 'regression', 'damaged', 'x', '{"pipeline": [')
      const before = await readAll(workspace)
      expect(await library.load({ name: 'Optimized PLS', category: 'regression' })).toMatchObject({
        pipeline: { pipeline: ['SNV', { x: 'NaN' }] },
        created_at: '2026-02-05T10:11:12.131415',
        changed_since_saved: false,
      })
      const list = await library.list()
      expect(names(list)).toEqual(['Optimized PLS', 'bare'])
      expect(list.unreadable).toEqual([
        { id: 'regression/damaged', reason: expect.stringContaining('pipeline.json is not JSON at character') },
      ])
      expect(await codeOf(library.load({ id: 'regression/damaged' }))).toBe('validation')
      expect(await readAll(workspace)).toEqual(before)
      await library.save({ name: 'damaged', category: 'regression', pipeline: ridge })
      expect(await readFile(join(damaged, 'pipeline.json'), 'utf8')).toBe('{"pipeline": [')
      await library.delete({ id: 'regression/damaged' })
      await writeFile(join(folder, 'metadata.json'), '[]')
      expect((await library.list()).unreadable).toEqual([{ id: 'regression/optimized_pls', reason: 'metadata.json is not an object' }])
    }))

  it('test_changed_by_hand: metrics of another pipeline are marked', () =>
    withLibrary(async (library, { workspace }) => {
      const { template } = await library.save({ name: 'best', metrics: { rmse: 1 }, pipeline: pls })
      await writeFile(join(workspace, 'library', template.id, 'pipeline.json'), '{"pipeline": ["edited"]}')
      expect(await library.metadata({ name: 'best' })).toMatchObject({ changed_since_saved: true })
    }))

  it('test_ambiguous_name: several categories ask for a choice', () =>
    withLibrary(async (library) => {
      await library.save({ name: 'same', category: 'a', pipeline: pls })
      await library.save({ name: 'same', category: 'b', pipeline: ridge })
      expect(await codeOf(library.load({ name: 'same' }))).toBe('validation')
      expect((await library.load({ name: 'same', category: 'b' })).pipeline).toEqual(ridge)
      expect((await library.load({ id: 'a/same' })).pipeline).toEqual(pls)
    }))

  it('test_links_refused: nothing is written or read through a link', () =>
    withLibrary(async (library, { folder, workspace }) => {
      await mkdir(join(folder, 'outside'))
      await writeLikeNirs4all(folder, 'outside', 'secret', 'secret', '{}')
      await mkdir(join(workspace, 'library'))
      await symlink(join(folder, 'outside'), join(workspace, 'library/general'))
      const { template } = await library.save({ name: 'x', pipeline: pls })
      expect(template.category).toBe('general')
      expect(template.id).toMatch(/^general-[0-9a-f]{16}\/x$/)
      await symlink(join(folder, 'beside.txt'), join(workspace, 'library', template.id, '..', 'y'))
      expect((await library.save({ name: 'y', pipeline: ridge })).template.id).toMatch(/\/y-[0-9a-f]{16}$/)
      await rm(join(workspace, 'library', template.id, 'pipeline.json'))
      await symlink(join(folder, 'beside.txt'), join(workspace, 'library', template.id, 'pipeline.json'))
      expect((await library.list()).unreadable).toMatchObject([{ id: template.id }])
      expect([...(await readAll(join(folder, 'outside'))).keys()]).toEqual([])
      await rm(join(workspace, 'library'), { recursive: true })
      await symlink(join(folder, 'outside'), join(workspace, 'library'))
      expect(await codeOf(library.list())).toBe('path_not_allowed')
      expect(await codeOf(library.save({ name: 'x', pipeline: pls }))).toBe('path_not_allowed')
    }))

  it('test_at_once: many saves in one process, all there; one name goes to one of them', () =>
    withLibrary(async (library) => {
      const many = await Promise.all(Array.from({ length: 12 }, (_, step) => library.save({ name: `t${step}`, pipeline: [step] })))
      expect(new Set(many.map(({ template }) => template.id)).size).toBe(12)
      const rivals: PromiseSettledResult<SavedTemplate>[] = await Promise.allSettled(
        [100, 101, 102].map((step) => library.save({ name: 'one', pipeline: [step] })),
      )
      expect(rivals.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      expect((await library.list()).total).toBe(13)
    }))

  it('test_twins_at_once: the same pipeline saved under two names at once is stored once', () =>
    withLibrary(async (library) => {
      await library.save({ name: 'other', pipeline: ridge })
      // Whoever writes gives the other the time to look at what is there.
      setFaultHook(async () => {
        await library.list()
      })
      const saved = await Promise.all(['one', 'two'].map((name) => library.save({ name, pipeline: pls })))
      expect(saved.map(({ status }) => status).toSorted()).toEqual(['created', 'identical'])
      expect((await library.list()).total).toBe(2)
    }))

  it('test_validation: what is not a template is refused with a reason', () =>
    withLibrary(async (library, { workspace }) => {
      const refused = [
        library.save({ name: '', pipeline: [] }),
        library.save({ name: 'x' }),
        library.save({ name: 'x', pipeline: [], pipeline_json: '[]' }),
        library.save({ name: 'x', pipeline: 'text' }),
        library.save({ name: 'x', pipeline_json: '[' }),
        library.save({ name: 'x', pipeline: [() => 1] }),
        library.save({ name: 'x', pipeline: [], metrics: JSON.parse('{"__proto__": 1}') }),
      ]
      expect(await Promise.all(refused.map(codeOf))).toEqual(refused.map(() => 'validation'))
      expect(await readAll(workspace)).toEqual(new Map())
      expect(await codeOf(new PipelineLibrary(join(workspace, 'absent')).save({ name: 'x', pipeline: [] }))).toBe('workspace_not_found')
    }))
})
