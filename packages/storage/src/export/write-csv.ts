import type { ExportRequest } from '@nirs-workspace/types'
import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { csvDelimiter, csvQuery } from './csv-cells.ts'
import type { ExportQuery } from './export-query.ts'

const Copied = z.object({ Count: z.number() })

/** Writes a CSV file (RFC 4180 quoting, UTF-8, empty = null, "" = empty text); returns the number of rows. */
export const writeCsv = async (
  engine: Engine,
  query: ExportQuery,
  path: string,
  dialect: ExportRequest['csv_dialect'],
): Promise<number> => {
  const options = `FORMAT csv, HEADER true, DELIMITER '${csvDelimiter[dialect]}'`
  const { Count } = await engine.one(Copied, `COPY (${csvQuery(query, dialect)}) TO $path (${options})`, { path })
  return Count
}
