import { inspectWorkspace } from '@nirs-workspace/storage'
import type { Inspection, LockHolder } from '@nirs-workspace/types'
import type { Command } from 'commander'
import { userFolders } from '../folders.ts'
import { describeRemark } from './describe-remark.ts'
import { exitCodes } from './exit-codes.ts'
import { type OutputOptions, printResult, runVerb } from './output.ts'
import { formatBytes, formatTable, printable } from './table.ts'

interface Options extends OutputOptions {
  check?: boolean
}

export const addInspect = (program: Command): void => {
  program
    .command('inspect')
    .description('what a path is: storage, counts, datasets, findings; changes nothing')
    .argument('<path>')
    .option('--check', 'exit with 1 when there are warnings or errors')
    .option('--json', 'print one JSON document')
    .action((path: string, options: Options) => runVerb(options, () => inspect(path, options)))
}

const inspect = async (path: string, options: Options): Promise<number> => {
  const inspection = await inspectWorkspace(path, { cacheFolder: userFolders().cache })
  printResult(options, inspection, describe(path))
  const serious = inspection.findings.some((finding) => finding.severity !== 'info')
  return options.check === true && serious ? exitCodes.findings : exitCodes.done
}

const describe =
  (path: string) =>
  (found: Inspection): string => {
    const { counts, sizes } = found
    const lines = [
      `${printable(found.name)}  ${printable(found.path)}`,
      `storage: ${found.storage_mode}, ${describeOrigin(found)}${found.migration_needed ? ', migration needed' : ''}${found.rescue_needed ? ', rescue needed' : ''}`,
      `${counts.predictions} predictions, ${counts.arrays} with arrays, ${counts.runs} runs, ${counts.pipelines} pipelines, ${counts.chains} chains, ${counts.artifacts} artifacts`,
      `store ${formatBytes(sizes.store_bytes)}, arrays ${formatBytes(sizes.arrays_bytes)}, artifacts ${formatBytes(sizes.artifacts_bytes)}`,
      formatTable(
        ['dataset', 'predictions', 'arrays', 'parquet bytes'],
        found.datasets.map((dataset) => [dataset.name, dataset.predictions, dataset.arrays, dataset.parquet_bytes]),
      ),
      ...describeHolder(found.locked_by),
      ...found.findings.flatMap((finding) => describeRemark(path, finding.severity, finding)),
    ]
    return lines.filter((line) => line !== '').join('\n')
  }

const describeHolder = (holder: LockHolder | null): string[] => {
  if (holder === null) return []
  const command = holder.command === undefined ? '' : ` (${printable(holder.command)})`
  return [`process ${holder.pid}${command} has the store open for writing; what it has not written yet is not here`]
}

/** A store that was migrated has the schema of a later release than the one that wrote it. */
const describeOrigin = ({ written_by, migrated }: Inspection): string => {
  const release = `nirs4all ${written_by ?? 'of unknown release'}`
  if (migrated === undefined) return `written by ${release}`
  return `${migrated.from === null ? 'schema of' : 'written by'} ${release}, migrated by NIRS Workspace`
}
