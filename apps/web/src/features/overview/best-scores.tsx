import type { DatasetOverview, PredictionRow } from '@nirs-workspace/types'
import { isSameMetric } from '@nirs-workspace/types/metric'
import type { WireNumber } from '@nirs-workspace/types/number'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { bestCvQuery } from '../../api/queries.ts'
import { useWorkspace } from '../../api/workspace.tsx'
import { paths } from '../../paths.ts'
import { foldWords } from '../../text/fold-words.ts'
import { metricName } from '../../text/metric-name.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { DirectionBadge } from '../../ui/direction-badge.tsx'
import { Skeleton } from '../../ui/states.tsx'

type BestCv = DatasetOverview['best_cv'][number]
type BestRefit = DatasetOverview['best_refit'][number]

/** A metric such as bias is best near zero, which no order of rows says. */
const orders = { lower: 'asc', higher: 'desc', zero: undefined, unknown: undefined } as const

/** The best model over all folds; one fold alone is only shown where there is nothing else, and then says so. */
export const BestCvScore = ({ dataset, best }: { dataset: DatasetOverview; best: BestCv | undefined }) => {
  const text = useText()
  if (best === undefined) return <Best title={text.overview.bestCv} />
  const order = orders[best.direction]
  return order === undefined ? (
    <Best title={text.overview.bestCv} score={best.val_score} best={best} metric={metricName(text, best.metric, 'val')}>
      {text.overview.anyFold}
    </Best>
  ) : (
    <RankedCv dataset={dataset} best={best} order={order} />
  )
}

const RankedCv = ({ dataset, best, order }: { dataset: DatasetOverview; best: BestCv; order: 'asc' | 'desc' }) => {
  const text = useText()
  const { overview } = text
  const workspace = useWorkspace()
  const spellings = dataset.metrics.filter((name) => isSameMetric(name, best.metric))
  const { data: row, isPending } = useQuery(bestCvQuery(workspace.id, dataset.dataset_name, spellings, order))
  if (isPending) return <Best title={overview.bestCv} pending />
  const shown = { ...best, ...row }
  return (
    <Best
      title={row?.fold_kind === 'fold' ? overview.bestFold : row?.fold_kind === 'single' ? overview.bestSingle : overview.bestCv}
      score={shown.val_score}
      best={shown}
      metric={metricName(text, best.metric, row === undefined || row.fold_kind === 'single' ? undefined : 'val')}
    >
      <span title={row === undefined ? undefined : foldHint(row, overview.foldHints)}>
        {row === undefined ? overview.anyFold : foldWords(row, text)}
      </span>
    </Best>
  )
}

const foldHint = (row: PredictionRow, hints: ReturnType<typeof useText>['overview']['foldHints']): string | undefined =>
  row.fold_kind === 'average' || row.fold_kind === 'fold' || row.fold_kind === 'single' ? hints[row.fold_kind] : undefined

export const BestRefitScore = ({ best }: { best: BestRefit | undefined }) => {
  const text = useText()
  if (best === undefined) return <Best title={text.overview.bestRefit} />
  return (
    <Best title={text.overview.bestRefit} score={best.test_score} best={best} metric={metricName(text, best.metric, 'test')}>
      {text.overview.onTest}
    </Best>
  )
}

interface BestProps {
  readonly title: string
  readonly pending?: boolean
  readonly score?: WireNumber | null
  readonly metric?: string
  readonly best?: Pick<BestCv, 'direction' | 'prediction_id' | 'model_name'> & { readonly preprocessings?: string }
  readonly children?: ReactNode
}

const Best = ({ title, pending = false, score, metric: name, best, children }: BestProps) => {
  const { overview } = useText()
  const format = useFormat()
  return (
    <div className="min-w-0">
      <dt className="text-xs text-muted">{title}</dt>
      {pending ? <Skeleton className="mt-1 h-12" /> : null}
      {pending || (best !== undefined && score != null) ? null : <dd className="text-muted">{overview.noScore}</dd>}
      {best === undefined || score == null ? null : (
        <dd>
          <span className="flex flex-wrap items-baseline gap-x-1.5">
            <span className="text-lg font-semibold" title={format.exact(score)}>
              {format.score(score)}
            </span>
            <span className="text-xs text-muted">
              {name} <DirectionBadge direction={best.direction} />
            </span>
          </span>
          <Link
            to={paths.predictions}
            search={{ peek: best.prediction_id, q: best.prediction_id }}
            title={[best.model_name, best.preprocessings ?? ''].filter((part) => part !== '').join(', ')}
            className="block truncate text-xs text-accent hover:underline"
          >
            {best.model_name}
          </Link>
          <span className="block text-xs text-muted">{children}</span>
        </dd>
      )}
    </div>
  )
}
