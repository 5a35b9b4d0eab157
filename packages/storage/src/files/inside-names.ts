import { isAbsolute, sep } from 'node:path'
import * as z from 'zod'

/**
 * What files of ours may call a job, an operation or another file. They may come from elsewhere, and recovery moves and removes what they
 * name: nothing but these schemas reads such a name.
 */
export const JobId = z.string().regex(/^[A-Za-z0-9_-]{1,80}$/, 'a job id is letters, digits, - and _')

/** Name of the folder of an operation in the trash. */
export const OperationId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,160}$/, 'an operation is named by letters, digits, - and _')

const separator = sep === '/' ? '/' : /[/\\]/

const leadsDown = (path: string): boolean => {
  const names = path.split(separator)
  return !isAbsolute(path) && !path.includes('\0') && !names.includes('..') && !['', '.'].includes(names.at(-1) ?? '')
}

/** Path of a file from the folder that it is said to be in, `/` between names, and down only. */
export const InsidePath = z.string().refine(leadsDown, 'a path that leads down, to a file')

/** The same, in this folder of the workspace. */
export const pathIn = (folder: 'arrays' | 'artifacts' | '.nirs-workspace') => InsidePath.startsWith(`${folder}/`)

const time = String.raw`\d{8}T\d{6}Z`

/** The original that a migration keeps, beside the store. */
export const KeptOriginal = z.string().regex(new RegExp(String.raw`^store\.duckdb\.${time}\.bak$`))
/** Its log. */
export const KeptLog = z.string().regex(new RegExp(String.raw`^store\.duckdb\.${time}\.bak\.wal$`))
/** The folder of a newer state that a roll back puts aside. */
export const KeptState = z.string().regex(new RegExp(String.raw`^\.nirs-workspace/rolled-back-${time}$`))
