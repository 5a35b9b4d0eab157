import { verifyWorkspace } from '@nirs-workspace/storage'
import type { VerifyReport } from '@nirs-workspace/types'
import type { Command } from 'commander'
import { describeRemark } from './describe-remark.ts'
import { exitCodes } from './exit-codes.ts'
import { interruptible } from './interruptible.ts'
import { type OutputOptions, printResult, runVerb, UsageError } from './output.ts'
import { showProgress } from './progress.ts'

interface Options extends OutputOptions {
  quick?: boolean
  deep?: boolean
}

export const addVerify = (program: Command): void => {
  program
    .command('verify')
    .description('check the integrity of a workspace; exits with 1 when something is wrong')
    .argument('<path>')
    .option('--quick', 'structure only (default)')
    .option('--deep', 'every value, checksums, the content of every model and the migration proof')
    .option('--json', 'print one JSON document')
    .action((path: string, options: Options) => runVerb(options, () => verify(path, options)))
}

const verify = async (path: string, options: Options): Promise<number> => {
  if (options.quick === true && options.deep === true) throw new UsageError('Give either --quick or --deep.')
  const depth = options.deep === true ? 'deep' : 'quick'
  const progress = showProgress()
  try {
    const report = await interruptible((signal) => verifyWorkspace(path, { depth, signal, onProgress: progress.report }))
    progress.done()
    printResult(options, report, describeVerification(path))
    return report.passed ? exitCodes.done : exitCodes.findings
  } finally {
    progress.done()
  }
}

export const describeVerification =
  (path: string) =>
  ({ passed, depth, rows_checked, findings, proof_holds }: VerifyReport): string =>
    [
      `${passed ? 'sound' : 'not sound'}: ${rows_checked} rows checked${proof_holds === null ? '' : proof_holds ? ', the migration proof holds' : ', the migration proof does not hold'}`,
      ...(depth === 'quick'
        ? ['Their structure only: --deep reads every value and compares the migration proof, where there is one.']
        : []),
      ...findings.flatMap((finding) => describeRemark(path, finding.severity, finding)),
    ].join('\n')
