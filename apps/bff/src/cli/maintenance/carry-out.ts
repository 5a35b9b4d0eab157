import { randomUUID } from 'node:crypto'
import { applyPlan, type MadePlan, makePlan, resolveWorkspace } from '@nirs-workspace/storage'
import type { MaintenanceApplied, MaintenanceInput } from '@nirs-workspace/types'
import { agrees, type ChangeOptions, recoverFirst } from '../change-options.ts'
import { commandText } from '../command-text.ts'
import { exitCodes } from '../exit-codes.ts'
import { interruptible } from '../interruptible.ts'
import { printResult } from '../output.ts'
import { showProgress } from '../progress.ts'
import { printable } from '../table.ts'
import { whileWaiting } from '../while-waiting.ts'
import { wrapText } from '../wrap-text.ts'
import { describeNothing, describePlan, describeRewritten, describeWhatGoes } from './describe-plan.ts'
import { type PlanPreview, previewPlan } from './preview-plan.ts'

/** What is answered once a plan has been carried out. */
type Done = PlanPreview & { operation_id: string | null; restore_command: string | null; duration_seconds: number }

/**
 * A removal from its preview to its end: shows the plan, asks, does exactly that, and says how it is undone. Answers the exit code: `findings`
 * when a dataset had to be left alone, or not all was done that was shown.
 */
export const carryOut = async (path: string, input: MaintenanceInput, options: ChangeOptions): Promise<number> => {
  await recoverFirst(path, options)
  const { root } = await resolveWorkspace(path)
  const { plan, preview } = await planned(root, input)
  const exit = 'refused' in preview && preview.refused.length > 0 ? exitCodes.findings : exitCodes.done
  if (plan.items_total === 0) {
    printResult(options, options.dryRun === true ? preview : { ...preview, operation_id: null }, describeNothing)
    return exit
  }
  if (options.dryRun === true) {
    printResult(options, preview, (shown) => describePlan(shown, root))
    return exit
  }
  const question = plan.kind === 'compact' ? 'Compact now?' : 'Remove now?'
  if (!(await agrees(describePlan(preview, root), question, options))) return exitCodes.done
  const applied = await apply(root, plan)
  // Those of the plan come first, and have been shown.
  const since = applied.warnings.slice(plan.warnings.length)
  printResult(options, finished(root, preview, applied), (done) => describeDone(done, root, since))
  return since.length > 0 ? exitCodes.findings : exit
}

const planned = (root: string, input: MaintenanceInput): Promise<{ plan: MadePlan; preview: PlanPreview }> =>
  interruptible((signal) =>
    whileWaiting('Working out what would happen …', async () => {
      const plan = await makePlan(root, input)
      signal.throwIfAborted()
      const preview = await previewPlan(root, plan)
      signal.throwIfAborted()
      return { plan, preview }
    }),
  )

const apply = async (root: string, plan: MadePlan): Promise<MaintenanceApplied> => {
  const progress = showProgress()
  try {
    return await interruptible((signal) => applyPlan(root, plan, { jobId: randomUUID(), signal, onProgress: progress.report }))
  } finally {
    progress.done()
  }
}

const finished = (root: string, preview: PlanPreview, { report, ...applied }: MaintenanceApplied): Done => ({
  ...preview,
  ...report,
  ...applied,
  restore_command: applied.operation_id === null ? null : commandText('restore', root, applied.operation_id),
})

const describeDone = (done: Done, root: string, since: readonly string[]): string =>
  [
    `${done.kind === 'compact' ? 'Dropped' : 'Removed'} from ${root}:`,
    describeWhatGoes(done),
    ...('datasets' in done ? [describeRewritten(done)] : []),
    ...('refused' in done
      ? done.refused.map(({ dataset_name, file }) =>
          wrapText(`left alone: ${printable(dataset_name)}, as what ${file} holds of it cannot be told`),
        )
      : []),
    ...(done.kind === 'compact' ? done.warnings : since).map((warning) => wrapText(`warning: ${printable(warning)}`)),
    ...(done.operation_id === null || done.restore_command === null
      ? []
      : [`In the trash as ${done.operation_id}. To bring it back:`, `  ${done.restore_command}`]),
  ].join('\n')
