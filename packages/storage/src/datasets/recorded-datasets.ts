import { DatasetSource } from '@nirs-workspace/types'
import { decodeJson } from '../json/decode-json.ts'
import { entriesOf } from '../json/entries-of.ts'
import { type CatalogReader, PREDICTIONS, type QueryOptions, readRows } from '../predictions/catalog-reader.ts'
import { readText, readTextOrNull } from '../predictions/value-reader.ts'

/**
 * What the runs of a workspace have recorded about the files of their datasets, by name; the later run counts where several did. Datasets
 * that only predictions name are there too, with nothing recorded.
 */
export const recordedDatasets = async (catalog: CatalogReader, options: QueryOptions = {}): Promise<DatasetSource[]> => {
  const recorded = await readRows(
    catalog,
    { sql: 'SELECT datasets FROM catalog.runs ORDER BY created_at NULLS FIRST, run_id', parameters: {} },
    (value) => decodeJson(readTextOrNull(value(0))),
    options,
  )
  const named = await readRows(
    catalog,
    { sql: `SELECT DISTINCT dataset_name FROM ${PREDICTIONS}`, parameters: {} },
    (value) => readText(value(0)),
    options,
  )
  const sources = new Map(named.map((name) => [name, DatasetSource.parse({ name })]))
  for (const source of recorded.flatMap(sourcesOf)) if (saysMore(source) || !sources.has(source.name)) sources.set(source.name, source)
  return [...sources.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

const saysMore = ({ name: _, ...file }: DatasetSource): boolean => Object.values(file).some((value) => value !== null)

/** Objects with a name, or plain names; fields of another type than they should be count as not recorded. */
const sourcesOf = (run: unknown): DatasetSource[] => (Array.isArray(run) ? run.flatMap(sourceOf) : [])

const sourceOf = (item: unknown): DatasetSource[] => {
  const fields = typeof item === 'string' ? { name: item } : Object.fromEntries(entriesOf(item) ?? [])
  const known = Object.entries(DatasetSource.shape).map(([field, schema]) => [field, schema.safeParse(fields[field]).data])
  const source = DatasetSource.safeParse(Object.fromEntries(known))
  return source.success ? [source.data] : []
}
