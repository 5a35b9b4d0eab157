import type { PredictionDetail } from '@nirs-workspace/types'
import type { WireNumber } from '@nirs-workspace/types/number'
import { useFormat, useText } from '../../text/text.tsx'
import { PartitionMark } from '../../ui/partition-mark.tsx'
import { isRefitPlaceholder, isTestPlaceholder } from './placeholder.ts'

type Sibling = PredictionDetail['siblings'][number]

/** The row itself among its siblings, in the order of folds and partitions. */
const wholeFamily = (detail: PredictionDetail): Sibling[] =>
  [detail, ...detail.siblings].toSorted(
    (a, b) => a.fold_id.localeCompare(b.fold_id, 'en', { numeric: true }) || a.partition.localeCompare(b.partition, 'en'),
  )

/** A score of no test samples: none of the model's rows of this fold is of some. */
const isUntested = (row: Sibling, family: readonly Sibling[]): boolean =>
  isTestPlaceholder(row) && !family.some(({ fold_id, partition }) => fold_id === row.fold_id && partition === 'test')

/** Rows drawn; a file that does not tell models apart may hold any number of one name. */
const maxRows = 500

/** The first rows, and the row itself in any case. */
const firstRows = (family: readonly Sibling[], { prediction_id }: PredictionDetail): readonly Sibling[] => {
  const first = family.slice(0, maxRows)
  const here = family.slice(maxRows).filter((row) => row.prediction_id === prediction_id)
  return [...here, ...first]
}

/** The same model on its other folds and partitions; a click goes there. */
export const PeekFolds = ({ detail, onJump }: { detail: PredictionDetail; onJump: (id: string) => void }) => {
  const text = useText()
  const format = useFormat()
  const family = wholeFamily(detail)
  const score = (value: WireNumber | null): string => (value === null ? '–' : format.score(value))
  return (
    <table className="w-full text-right">
      <caption className="pb-2 text-left text-muted">
        {detail.chain_id === null && detail.pipeline_id === null ? text.peek.sameName : text.peek.folds}
        {family.length > maxRows ? ` ${text.peek.firstOf(maxRows, family.length)}` : ''}
      </caption>
      <thead className="text-xs text-muted">
        <tr>
          <th scope="col" className="py-1 text-left font-medium">
            {text.columns.fold_id}
          </th>
          <th scope="col" className="text-left font-medium">
            {text.columns.partition}
          </th>
          {(['val_score', 'test_score', 'train_score', 'n_samples'] as const).map((column) => (
            <th key={column} scope="col" className="font-medium" title={text.columnHints[column]}>
              {text.columns[column]}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {firstRows(family, detail).map((row) => {
          const here = row.prediction_id === detail.prediction_id
          const fold = row.fold_id === '' ? text.foldKinds.single : row.fold_id
          return (
            <tr
              key={row.prediction_id}
              aria-current={here || undefined}
              className={`border-t border-line ${here ? 'bg-selected' : 'hover:bg-hover'}`}
            >
              <th scope="row" className="text-left font-medium">
                <button
                  type="button"
                  onClick={() => onJump(row.prediction_id)}
                  aria-label={`${text.columns.fold_id} ${fold}, ${row.partition}`}
                  className="min-h-8 w-full text-left text-accent underline-offset-2 hover:underline"
                >
                  {fold}
                </button>
              </th>
              <td>
                <span className="flex items-center gap-1.5">
                  <PartitionMark partition={row.partition} /> {row.partition}
                </span>
              </td>
              <td title={isRefitPlaceholder(row) ? text.predictions.refitScore : undefined}>
                {isRefitPlaceholder(row) ? '–' : score(row.val_score)}
              </td>
              <td title={isUntested(row, family) ? text.predictions.untestedScore : undefined}>
                {isUntested(row, family) ? '–' : score(row.test_score)}
              </td>
              <td>{score(row.train_score)}</td>
              <td>{row.n_samples === null ? '–' : format.int(row.n_samples)}</td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}
