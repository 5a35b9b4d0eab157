import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { entriesOf } from '../json/entries-of.ts'

const Serialized = z.object({ json: z.string() })
const Parsed = z.object({
  error: z.boolean(),
  error_type: z.string().optional(),
  error_message: z.string().optional(),
  position: z.string().optional(),
  statements: z.array(z.looseObject({ node: z.unknown() })).optional(),
})

/**
 * Passes one statement that only reads: its tree, as DuckDB itself parses it, may hold known kinds of nodes, the tables named here, and
 * functions that compute from their arguments alone. Everything else is `sql_not_allowed`, `sql_multi` or `sql_error`. No text is searched
 * for words: a value 'drop' or a column "copy" is as good as any. The tables that the statement may ask.
 */
export const requireReadOnly = async (engine: Engine, sql: string, tables: readonly string[]): Promise<ReadonlySet<string>> => {
  const { json } = await engine.one(
    Serialized,
    'SELECT json_serialize_sql($sql::VARCHAR, skip_null := true, skip_empty := true)::VARCHAR AS json',
    {
      sql,
    },
  )
  const parsed = Parsed.parse(parseTree(json))
  if (parsed.error) throw parseFailure(parsed)
  const statements = parsed.statements ?? []
  if (statements.length === 0) throw new StorageError('sql_error', 'There is no statement.', { hint: 'Write a SELECT.' })
  if (statements.length > 1) {
    throw new StorageError('sql_multi', `These are ${statements.length} statements. None was run.`, { hint: 'Run them one at a time.' })
  }
  const asked = new Set<string>()
  checkNode(parsed.statements, { tables: new Set(tables), ctes: new Set(), functions: await allowedFunctions(engine), asked })
  return asked
}

/** DuckDB writes a number beyond the largest double into the tree as a word that JSON does not have. */
const parseTree = (json: string): unknown => {
  try {
    return JSON.parse(json)
  } catch (error) {
    throw new StorageError(
      'sql_error',
      'The statement holds a number that no double can hold. It was not run.',
      { hint: "Write infinity as 'infinity'::DOUBLE." },
      error,
    )
  }
}

const parseFailure = ({ error_type, error_message = '', position }: z.infer<typeof Parsed>): StorageError => {
  if (error_type === 'not implemented') {
    return refused('Only a statement that reads may be run here: SELECT, FROM, VALUES, WITH, DESCRIBE or SUMMARIZE.')
  }
  const place = position === undefined ? '' : ` (at character ${Number(position) + 1})`
  return new StorageError('sql_error', `${error_message.slice(0, 500)}${place}`)
}

const refused = (message: string) => new StorageError('sql_not_allowed', `${message} Nothing was run.`)

interface Allowed {
  readonly tables: ReadonlySet<string>
  /** The names that the queries around a node give to queries of their own, as `lower` writes them. */
  readonly ctes: ReadonlySet<string>
  readonly functions: ReadonlySet<string>
  /** The tables that were met. */
  readonly asked: Set<string>
}

/** Functions that make tables out of their arguments, and nothing else. */
const tableFunctions: ReadonlySet<string> = new Set(['range', 'generate_series', 'unnest', 'json_each', 'json_tree', 'repeat'])

/** Functions that tell of the process, its settings or its variables rather than of the data; macros of these families may do more. */
const notAllowed =
  /^(current_(setting|query|connection|transaction)|getvariable|pg_|has_|parse_duckdb_log|json_(de)?serialize_|col_description|obj_description|shobj_description|in_search_path|which_secret|error$)/

const FunctionName = z.object({ name: z.string() })

/** Scalars, aggregates and built-in macros of this release of DuckDB whose result depends on their arguments. */
const allowedFunctions = async (engine: Engine): Promise<ReadonlySet<string>> => {
  const rows = await engine.rows(
    FunctionName,
    `SELECT DISTINCT function_name AS name FROM duckdb_functions() WHERE internal AND database_name = 'system'
     AND ((function_type IN ('scalar', 'aggregate') AND NOT has_side_effects) OR function_type = 'macro')`,
  )
  const windows = [
    'row_number',
    'rank',
    'dense_rank',
    'rank_dense',
    'percent_rank',
    'cume_dist',
    'ntile',
    'lead',
    'lag',
    'first_value',
    'last_value',
    'nth_value',
    'fill',
    'unnest',
  ]
  return new Set([...rows.map(({ name }) => name).filter((name) => !notAllowed.test(name)), ...windows])
}

const expressionClasses: ReadonlySet<string> = new Set(
  'BETWEEN CASE CAST COLLATE COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION LAMBDA LAMBDA_REF OPERATOR POSITIONAL_REFERENCE STAR SUBQUERY TYPE WINDOW'.split(
    ' ',
  ),
)
const nodeTypes: ReadonlySet<string> = new Set(
  `SELECT_NODE SET_OPERATION_NODE RECURSIVE_CTE_NODE CTE_NODE BASE_TABLE SUBQUERY JOIN TABLE_FUNCTION EXPRESSION_LIST EMPTY PIVOT SHOW_REF
   ORDER_MODIFIER LIMIT_MODIFIER LIMIT_PERCENT_MODIFIER DISTINCT_MODIFIER ASCENDING DESCENDING ORDER_DEFAULT INVALID`.split(/\s+/),
)

const Node = z.looseObject({
  class: z.string().optional(),
  type: z.unknown().optional(),
  table_name: z.string().optional(),
  function_name: z.string().optional(),
  schema_name: z.string().optional(),
  catalog_name: z.string().optional(),
  schema: z.string().optional(),
  catalog: z.string().optional(),
  cte_name: z.string().optional(),
  cte_map: z.object({ map: z.array(z.looseObject({ key: z.string() })).default([]) }).optional(),
})
type Node = z.infer<typeof Node>

const checkNode = (value: unknown, allowed: Allowed): void => {
  if (Array.isArray(value)) for (const child of value) checkNode(child, allowed)
  const entries = entriesOf(value)
  if (entries === undefined) return
  const node = Node.parse(value)
  checkKind(node)
  if (node.class === undefined && node.type === 'BASE_TABLE') checkTable(node, allowed)
  if (node.class === undefined && node.type === 'SHOW_REF' && node.table_name !== undefined) throw refused('SHOW may not be run here.')
  if (node.class === 'FUNCTION' || node.class === 'WINDOW') checkFunction(node, allowed.functions)
  const inside = checkCtes(node, allowed)
  for (const [key, child] of entries) {
    if (key === 'cte_map') continue
    if (node.type === 'TABLE_FUNCTION' && key === 'function') checkTableFunction(child, inside)
    else checkNode(child, key === 'right' ? withOwnName(node, inside) : inside)
  }
}

/** Each query of a WITH knows those before it, and the node that has the WITH knows all: outside of it, their names are those of other tables. */
const checkCtes = ({ cte_map }: Node, allowed: Allowed): Allowed =>
  (cte_map?.map ?? []).reduce((known, entry) => {
    checkNode(entry, known)
    return withName(known, entry.key)
  }, allowed)

/** Only the second part of a recursive query can ask itself. */
const withOwnName = ({ type, cte_name }: Node, allowed: Allowed): Allowed =>
  type === 'RECURSIVE_CTE_NODE' && cte_name !== undefined ? withName(allowed, cte_name) : allowed

const withName = (allowed: Allowed, name: string): Allowed => ({ ...allowed, ctes: new Set([...allowed.ctes, lower(name)]) })

/** As DuckDB compares names. To `toLowerCase` the Kelvin sign is a k, and the name of a CTE could pass for that of another table. */
const lower = (name: string): string => name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())

const checkKind = (node: Node): void => {
  if (node.class !== undefined && !expressionClasses.has(node.class))
    throw refused(`An expression of the kind ${node.class} may not be used here.`)
  if (node.class !== undefined || typeof node.type !== 'string') return
  if (!nodeTypes.has(node.type) && !node.type.endsWith('_TYPE_INFO')) throw refused(`A part of the kind ${node.type} may not be used here.`)
}

const checkTable = ({ table_name = '', schema_name, catalog_name }: Node, { tables, ctes, asked }: Allowed): void => {
  const isPlain = catalog_name === undefined && (schema_name === undefined || schema_name === 'main')
  if (isPlain && tables.has(lower(table_name))) {
    if (schema_name !== undefined || !ctes.has(lower(table_name))) asked.add(lower(table_name))
    return
  }
  // Behind `main.` the engine looks for no CTE.
  if (isPlain && schema_name === undefined && ctes.has(lower(table_name))) return
  const name = [catalog_name, schema_name, table_name].filter((part) => part !== undefined).join('.')
  throw refused(`There is no table ${JSON.stringify(name.slice(0, 200))} to ask here; there are ${[...tables, ...ctes].join(', ')}.`)
}

const checkFunction = ({ function_name = '', schema, catalog }: Node, functions: ReadonlySet<string>): void => {
  const isOwn = [undefined, 'main', 'system', 'pg_catalog'].includes(schema) && [undefined, 'system'].includes(catalog)
  if (isOwn && (function_name === '' || functions.has(function_name.toLowerCase()))) return
  throw refused(`The function ${function_name.slice(0, 100)} may not be used here.`)
}

const checkTableFunction = (value: unknown, allowed: Allowed): void => {
  const node = Node.parse(value)
  const name = node.function_name ?? ''
  if (!tableFunctions.has(name.toLowerCase()) || node.schema !== undefined)
    throw refused(`The function ${name.slice(0, 100)} may not be used here.`)
  for (const [, child] of entriesOf(value) ?? []) checkNode(child, allowed)
}
