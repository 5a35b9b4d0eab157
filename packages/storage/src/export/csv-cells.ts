import type { ExportRequest } from '@nirs-workspace/types'
import { quotedIdentifier } from '../engine/attach-store.ts'
import type { ExportColumn, ExportQuery } from './export-query.ts'

type Dialect = ExportRequest['csv_dialect']

/** Between cells: Excel in French takes `;`, as its comma is the decimal mark. */
export const csvDelimiter: Record<Dialect, string> = { plain: ',', 'excel-fr': ';' }

/**
 * The query with every cell as it stands in the CSV file. Text that a spreadsheet would run as a formula gets a leading apostrophe
 * (OWASP ASVS 1.2.10); numbers are left alone. Lists become JSON text, non-finite numbers the words NaN, Infinity and -Infinity.
 */
export const csvQuery = (query: ExportQuery, dialect: Dialect): string => {
  const cells = query.columns.map((column, index) => `${cell(column, dialect)} AS ${quotedIdentifier(header(column, index, dialect))}`)
  return `SELECT ${cells.join(', ')} FROM (${query.sql})`
}

// The byte order mark rides on the first column's name: Excel takes a file without it for the system's own encoding.
const header = ({ name }: ExportColumn, index: number, dialect: Dialect): string =>
  dialect === 'excel-fr' && index === 0 ? `\ufeff${name}` : guardedName(name)

const guardedName = (name: string): string => (formulaStarts.includes(name.charAt(0)) && name !== '' ? `'${name}` : name)

const formulaStarts = '=+-@\t\r\n\0＝＋－＠'

const cell = ({ name, type }: ExportColumn, dialect: Dialect): string => {
  const column = quotedIdentifier(name)
  if (type === 'DOUBLE' || type === 'FLOAT') {
    const text = `CASE WHEN isfinite(${column}) THEN ${column}::VARCHAR ELSE ${nonFinite(column)} END`
    return dialect === 'excel-fr' ? `replace(${text}, '.', ',')` : text
  }
  if (type.startsWith('DECIMAL(') && !type.endsWith(']')) return dialect === 'excel-fr' ? `replace(${column}::VARCHAR, '.', ',')` : column
  if (type === 'DOUBLE[]' || type === 'FLOAT[]')
    return listText(column, `CASE WHEN isfinite(v) THEN v::VARCHAR ELSE '"' || ${nonFinite('v')} || '"' END`)
  if (/^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?\[\]$/.test(type)) return listText(column, 'v::VARCHAR')
  if (/^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|BOOLEAN)$/.test(type)) return column
  return guarded(type === 'VARCHAR' ? column : `${column}::VARCHAR`)
}

const nonFinite = (value: string): string =>
  `CASE WHEN isnan(${value}) THEN 'NaN' WHEN ${value} > 0 THEN 'Infinity' WHEN ${value} < 0 THEN '-Infinity' END`

const listText = (column: string, element: string): string =>
  `'[' || array_to_string(list_transform(${column}, lambda v: CASE WHEN v IS NULL THEN 'null' ELSE ${element} END), ',') || ']'`

const guarded = (text: string): string => {
  const starts = Array.from(formulaStarts, (character) => `chr(${character.codePointAt(0)})`).join(', ')
  return `CASE WHEN left(${text}, 1) IN (${starts}) THEN '''' || ${text} ELSE ${text} END`
}
