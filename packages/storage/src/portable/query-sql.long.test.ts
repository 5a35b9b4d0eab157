import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildCatalog } from '../catalog/build-catalog.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { makeStore, temporaryFolder } from '../testing/make-store.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { answerQuery } from './answer-query.ts'
import { QueryAnswer } from './query-messages.ts'
import { querySql, type SqlLimits } from './query-sql.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let catalog: string

beforeAll(async () => {
  folder = await temporaryFolder()
  const predictions = [
    { id: 'a', score: 0.5 },
    { id: 'b', score: Number.NaN },
    { id: 'drop table', dataset: 'create' },
  ]
  await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions })
  catalog = (await buildCatalog(await resolveWorkspace(folder.path), { cacheFolder: join(folder.path, 'cache') })).path
})

afterAll(() => folder[Symbol.asyncDispose]())

/** Processes start slowly on a machine that is busy: what is not about time has enough of it. */
const ask = (sql: string, limits: SqlLimits = {}) => querySql(catalog, sql, { deadline: 60_000, ...limits })

/** What the process of a query answers, without the process: starting one takes longer than most statements. */
const answerOf = async (sql: string): Promise<QueryAnswer> => {
  const request = { catalog, sql, places: null, memory_mb: 512, rows: 10_000, bytes: 8e6 }
  return QueryAnswer.parse(JSON.parse(JSON.stringify(await answerQuery(request))))
}

describe('Q5: what only reads is answered', () => {
  test('a count per dataset', async () => {
    expect(await ask('SELECT dataset_name, COUNT(*) AS n FROM predictions GROUP BY 1 ORDER BY 1')).toMatchObject({
      columns: [
        { name: 'dataset_name', type: 'VARCHAR' },
        { name: 'n', type: 'BIGINT' },
      ],
      rows: [
        ['create', 1],
        ['wheat', 2],
      ],
      row_count: 2,
      truncated: false,
    })
  })

  const legitimate = [
    "select * from predictions where dataset_name = 'create'",
    'select prediction_id as "drop" from predictions',
    "select replace(prediction_id, 'a', 'b') from predictions",
    'from runs',
    'describe predictions',
    'summarize chains',
    'values (1), (2)',
    'select prediction_id, rank() over (partition by dataset_name order by val_score) from predictions qualify row_number() over () <= 2',
    'select unnest([1, 2, 3])',
    'select * from range(10)',
    `select scores->'val'->>'rmse', scores::json->'a'->'b'->'c' from predictions`,
    'with recursive t(n) as (select 1 union all select n + 1 from t where n < 5) select * from t limit 3',
    "select * from predictions where created_at > '2020-01-01' and created_at < now()",
    'select a.prediction_id, c.model_class from predictions a join chains c using (chain_id) left join main.pipelines p on p.pipeline_id = c.pipeline_id',
    'select median(val_score), quantile_cont(val_score, 0.9), string_agg(prediction_id), list(fold_id order by fold_id) from predictions',
    'select list_transform([1, 2], lambda x: x + 1), list_avg([1, 2])',
    "select case when val_score > 1 then 'x' else 'y' end, cast(val_score as decimal(10, 2)), val_score::int from predictions where isfinite(val_score)",
    'select * exclude (scores) from predictions order by all limit 1 offset 1',
    'select (select max(val_score) from predictions p where p.chain_id = c.chain_id) from chains c where exists (select 1 from predictions)',
    "from (pivot predictions on partition in ('val', 'test') using avg(val_score) group by model_name)",
    'select 1 union all select 2 except select 3',
    'select $$;$$; -- ; drop',
    "select date_trunc('day', created_at), strftime(created_at, '%Y'), extract(year from created_at), regexp_matches(model_name, 'P.*') from predictions",
    'select 1 /* ; /* nested */ ; */',
    'select count(distinct (model_name, fold_id)), arg_min(prediction_id, val_score) from predictions tablesample 50%',
    // The name of a CTE counts wherever its query reaches, whatever else has that name.
    'with a as (select 1 c), b as (select * from a) select (select c from a), (select max(c) from (with d as (from b) select * from d) x) from B',
    'with a as (select 1 c) select * from a union all select c + 1 from a order by c',
    'with a as (select 1 c) from (with a as (select c + 1 c from a) select * from a) x join lateral (from a where a.c < x.c) using (c)',
    'with meta as (select 1 c) from (describe meta), (pivot meta on c in (1) using count(*))',
    'with recursive t(n) as (with s as (select 1 n) from s union all (with u as (select n from t) select n + 1 from u where n < 3)) from t',
    'with recursive a as (select 1 n union all select n + 1 from a where n < 3), b as (select max(n) m from a) from a, b',
    'with runs as (select 1 c) from runs',
    'with sqlite_master as (select 1 c) from sqlite_master',
  ]
  test.each(legitimate)('%s', async (sql) => {
    expect(await answerOf(sql)).toEqual({
      result: expect.objectContaining({ columns: expect.arrayContaining([expect.anything()]), rows: expect.any(Array) }),
    })
  })

  test('in a process of its own', async () => {
    for (const sql of legitimate.slice(0, 4)) {
      const { rows, columns } = await ask(sql)
      expect(await answerOf(sql)).toMatchObject({ result: { rows, columns } })
    }
  })

  test('Q8: numbers keep what they are: beyond 2^53 and non-finite as text, lists as lists', async () => {
    const { rows } = await ask(
      "select 9007199254740993, 2, 'NaN'::double, '-inf'::double, [[1.5::double, null]], 1.10::decimal(4, 2), {'a': 1}, true, null",
    )
    expect(rows).toEqual([['9007199254740993', 2, 'NaN', '-Infinity', [[1.5, null]], '1.10', { a: 1 }, true, null]])
  })

  test('Q8: rows and bytes are capped', async () => {
    expect(await ask('select * from range(1000000000)')).toMatchObject({ row_count: 10_000, truncated: true })
    const wide = await ask("select repeat('x', 1000000) from range(100)")
    expect(wide).toMatchObject({ truncated: true })
    expect(wide.row_count).toBeLessThan(9)
  })
})

describe('Q1-Q4: everything else is refused, and nothing is left behind', () => {
  const refusals: Record<string, string> = {
    "select * from read_csv('/etc/passwd')": 'sql_not_allowed',
    "select * from '/etc/passwd'": 'sql_not_allowed',
    "select * from read_text('/etc/passwd')": 'sql_not_allowed',
    "select (select content from read_text('/etc/passwd'))": 'sql_not_allowed',
    "with t as (from glob('/*')) select * from t": 'sql_not_allowed',
    "select * from predictions order by (select count(*) from read_blob('/etc/passwd'))": 'sql_not_allowed',
    "select * from predictions limit (select count(*) from 'x.parquet')": 'sql_not_allowed',
    "select * from query('select 1')": 'sql_not_allowed',
    "select * from query_table('runs')": 'sql_not_allowed',
    "select * from json_execute_serialized_sql('{}')": 'sql_not_allowed',
    "copy predictions to '/tmp/x.csv'": 'sql_not_allowed',
    "attach '/tmp/x.db'": 'sql_not_allowed',
    'set memory_limit = 1': 'sql_not_allowed',
    'pragma database_list': 'sql_not_allowed',
    'insert into runs values (1)': 'sql_not_allowed',
    'create temp view runs as select 1': 'sql_not_allowed',
    'explain analyze select 1': 'sql_not_allowed',
    // Without IN the values to pivot on would need a statement of their own.
    'from (pivot predictions on partition using avg(val_score))': 'sql_not_allowed',
    'install httpfs': 'sql_not_allowed',
    'with x as (insert into runs values (1) returning *) select * from x': 'sql_error',
    'select * from duckdb_settings()': 'sql_not_allowed',
    'from duckdb_databases()': 'sql_not_allowed',
    'from pragma_database_size()': 'sql_not_allowed',
    "select current_setting('temp_directory')": 'sql_not_allowed',
    "select getvariable('x')": 'sql_not_allowed',
    'select sleep_ms(60000)': 'sql_not_allowed',
    'select pg_sleep(60)': 'sql_not_allowed',
    'select setseed(0.5)': 'sql_not_allowed',
    "select nextval('x')": 'sql_not_allowed',
    // Their messages quote what other errors are told by.
    "select 'No space left on device'::int": 'sql_error',
    "select 'computed checksum: failed to allocate data of size'::int": 'sql_error',
    "select write_log('x')": 'sql_not_allowed',
    'from enable_logging()': 'sql_not_allowed',
    'from truncate_duckdb_logs()': 'sql_not_allowed',
    'select * from meta': 'sql_not_allowed',
    'select * from catalog.meta': 'sql_not_allowed',
    'select * from catalog.main.meta': 'sql_not_allowed',
    'select (with meta as (select 1) select 1) from meta': 'sql_not_allowed',
    // The name of a CTE counts nowhere but where the engine would take it for one.
    'select y.* from (with duckdb_databases as (select 1 c) from duckdb_databases) x, duckdb_databases y': 'sql_not_allowed',
    'select * from sqlite_master where exists (with sqlite_master as (select 1) from sqlite_master)': 'sql_not_allowed',
    'from duckdb_databases union all (with duckdb_databases as (select 1 c) from duckdb_databases)': 'sql_not_allowed',
    'with a as (with duckdb_databases as (select 1 c) from duckdb_databases) from a, duckdb_databases': 'sql_not_allowed',
    'with a as (from duckdb_databases), duckdb_databases as (select 1 c) from a': 'sql_not_allowed',
    'with duckdb_databases as (from duckdb_databases) from duckdb_databases': 'sql_not_allowed',
    'with recursive duckdb_databases as (from duckdb_databases) from duckdb_databases': 'sql_not_allowed',
    'with recursive sqlite_master as (select name from sqlite_master union all select name from sqlite_master) from sqlite_master':
      'sql_not_allowed',
    'with duckdb_databases as (select 1 c) from main.duckdb_databases': 'sql_not_allowed',
    'with duckdb_databases as (select 1 c) from system.main.duckdb_databases': 'sql_not_allowed',
    // U+212A, which is a k to JavaScript and not to the engine.
    'with "duc\u212adb_databases" as (select 1 c) from duckdb_databases': 'sql_not_allowed',
    'show databases': 'sql_not_allowed',
    'from information_schema.tables': 'sql_not_allowed',
    'from sqlite_master': 'sql_not_allowed',
    'select 1; select 2': 'sql_multi',
    'select 1; drop table runs': 'sql_not_allowed',
    '': 'sql_error',
    '-- nothing': 'sql_error',
    'selec 1': 'sql_error',
    'select nothing from runs': 'sql_error',
  }
  test.each(Object.entries(refusals))('%s: %s', async (sql, code) => {
    const before = await hashTree(folder.path)
    expect(await answerOf(sql)).toEqual({
      error: expect.objectContaining({ code, message: expect.not.stringContaining(folder.path) }),
    })
    expect(await hashTree(folder.path)).toBe(before)
  })

  const inProcess = ["select * from '/etc/passwd'", 'from sqlite_master', 'select 1; select 2', 'selec 1', 'select nothing from runs']
  test('in a process of its own', async () => {
    const before = await hashTree(folder.path)
    for (const sql of inProcess) {
      await expect(ask(sql), sql).rejects.toMatchObject({ code: refusals[sql], message: expect.not.stringContaining(folder.path) })
    }
    expect(await hashTree(folder.path)).toBe(before)
  })

  test('Q4: a text that is too long is refused unread', async () => {
    await expect(ask(`select '${'x'.repeat(20_000)}'`)).rejects.toMatchObject({ code: 'sql_not_allowed' })
  })
})

describe('Q6, Q7, Q9: what takes too much is stopped', () => {
  test('time', async () => {
    await expect(ask('select sum(length(md5(range::varchar))) from range(1000000000000)', { deadline: 1500 })).rejects.toMatchObject({
      code: 'sql_timeout',
    })
  })

  const bombs = [
    "select length(repeat('x', 2000000000))",
    'select list(range) from range(1000000000)',
    "select string_agg(range::varchar, ',') from range(1000000000)",
  ]
  test.each(bombs)('memory: %s', async (sql) => {
    // Run to its end, the first of them takes longer than this and gigabytes.
    await expect(ask(sql, { memoryMb: 128, deadline: 20_000 })).rejects.toMatchObject({
      code: 'sql_memory',
      message: 'The query needed more than 128 MB of memory and was stopped.',
    })
  })

  test('a reader who leaves', async () => {
    const leaving = AbortSignal.timeout(700)
    await expect(ask('select sum(length(md5(range::varchar))) from range(1000000000000)', { signal: leaving })).rejects.toMatchObject({
      name: 'TimeoutError',
    })
  })
})
