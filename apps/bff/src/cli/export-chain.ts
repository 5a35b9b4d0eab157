import { exportChain } from '@nirs-workspace/storage'
import type { Command } from 'commander'
import { exitCodes } from './exit-codes.ts'
import { fileToWrite } from './export-place.ts'
import { printFile } from './export-text.ts'
import { type OutputOptions, runVerb, say } from './output.ts'
import { printable } from './table.ts'
import { withCatalog } from './with-catalog.ts'
import { wrapText } from './wrap-text.ts'

interface Options extends OutputOptions {
  output: string
  force?: boolean
  allowMissing?: boolean
}

export const addExportChain = (program: Command): void => {
  program
    .command('export-chain')
    .description('a chain with its stored models as a .n4a bundle, every file hashed in its manifest')
    .argument('<path>')
    .argument('<chain_id>')
    .requiredOption('-o, --output <file>', 'the bundle; never inside a workspace')
    .option('--force', 'replace a file that is there already')
    .option('--allow-missing', 'write it although models are not there, naming them')
    .option('--json', 'print one JSON document')
    .action((path: string, chain: string, options: Options) => runVerb(options, () => exportOne(path, chain, options)))
}

const exportOne = async (path: string, chain_id: string, options: Options): Promise<number> => {
  const target = await fileToWrite(options.output, options.force === true)
  const made = await withCatalog(path, (catalog, resolved) =>
    exportChain({ resolved, catalog }, { chain_id, target, allowMissing: options.allowMissing }),
  )
  for (const warning of made.manifest.warnings) say(wrapText(`warning: ${printable(warning)}`))
  if (made.manifest.missing.length > 0) say(`without ${made.manifest.missing.length} models that are not in the workspace`)
  printFile(options, { path: made.path, bytes: made.bytes, sha256: made.sha256 }, { manifest: made.manifest })
  return exitCodes.done
}
