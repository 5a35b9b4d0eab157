import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { systemCode } from '@nirs-workspace/storage'
import type { Command } from 'commander'
import { exitCodes } from '../exit-codes.ts'
import { type OutputOptions, printResult, runVerb, UsageError } from '../output.ts'
import { describeSaved } from './describe-template.ts'
import { openLibrary } from './open-library.ts'
import { type FieldOptions, templateFields, withTemplateFields } from './template-fields.ts'

export const addLibrarySave = (library: Command): void => {
  withTemplateFields(
    library
      .command('save')
      .description('save a pipeline as a template')
      .argument('<path>')
      .argument('<file>', 'the steps as JSON; - reads them from standard input'),
  )
    .option('--json', 'print one JSON document')
    .action((path: string, file: string, options: OutputOptions & FieldOptions) =>
      runVerb(options, async () => {
        const opened = await openLibrary(path)
        const pipeline_json = await readText(file)
        printResult(options, await opened.save({ ...templateFields(options), pipeline_json }), describeSaved)
        return exitCodes.done
      }),
    )
}

const readText = async (file: string): Promise<string> => {
  if (file === '-') return text(process.stdin)
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new UsageError(`${file} cannot be read (${systemCode(error) ?? String(error)}). Nothing was changed.`, { cause: error })
  }
}
