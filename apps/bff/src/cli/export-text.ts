import { writeFile } from 'node:fs/promises'
import { describeFile, writeBeside } from '@nirs-workspace/storage'
import { fileToWrite } from './export-place.ts'
import { type OutputOptions, printResult, say } from './output.ts'
import { formatBytes, printable } from './table.ts'

export interface PlaceOptions extends OutputOptions {
  output?: string
  force?: boolean
}

/** A text goes to the file of `-o`, or to standard output (in `document`, with `--json`). */
export const exportText = async <T extends object>(options: PlaceOptions, text: string, document: (text: string) => T): Promise<void> => {
  if (options.output === undefined) return printResult(options, document(text), () => text.trimEnd())
  const target = await fileToWrite(options.output, options.force === true)
  await writeBeside(target, (beside) => writeFile(beside, text, { flag: 'wx' }))
  printFile(options, { path: target, ...(await describeFile(target)) })
}

/** The answer to every verb that has written one file. */
export const printFile = (
  options: OutputOptions,
  file: { path: string; bytes: number; sha256: string; rows?: number },
  more: object = {},
): void => {
  printResult(options, { files: [file], ...more }, () => '')
  if (options.json !== true)
    say(`${printable(file.path)}  ${file.rows === undefined ? '' : `${file.rows} rows  `}${formatBytes(file.bytes)}`)
}
