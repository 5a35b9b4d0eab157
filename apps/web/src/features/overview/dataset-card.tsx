import type { DatasetOverview } from '@nirs-workspace/types'
import { metricLabel } from '@nirs-workspace/types/metric'
import { Link } from '@tanstack/react-router'
import { StripPlot } from '../../charts/strip-plot.tsx'
import { tickText } from '../../charts/tick-text.ts'
import { paths } from '../../paths.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { Badge } from '../../ui/badge.tsx'

/** One dataset: its task, the best of cross-validation and of refits (never mixed), and how the scores spread. */
export const DatasetCard = ({ dataset }: { dataset: DatasetOverview }) => {
  const { overview, common } = useText()
  const format = useFormat()
  const cv = dataset.best_cv[0]
  const refit = dataset.best_refit[0]
  const [metric] = dataset.metrics
  return (
    <li className="card flex flex-col gap-3 p-4">
      <div className="flex items-start gap-2">
        <h3 className="min-w-0 flex-1 font-semibold break-words">{dataset.dataset_name}</h3>
        <Badge>{dataset.task_type}</Badge>
      </div>
      <p className="-mt-2 text-xs text-muted">
        {common.predictions(dataset.predictions)} · {common.models(dataset.models)} · {common.withArrays(dataset.arrays)}
      </p>
      <dl className="grid grid-cols-2 gap-3">
        <Best
          title={overview.bestCv}
          best={
            cv && {
              metric: metricLabel(cv.metric, 'val'),
              direction: cv.direction,
              score: cv.val_score,
              id: cv.prediction_id,
              model: cv.model_name,
              detail: cv.preprocessings,
            }
          }
        />
        <Best
          title={overview.bestRefit}
          best={
            refit && {
              metric: metricLabel(refit.metric, 'test'),
              direction: refit.direction,
              score: refit.test_score,
              id: refit.prediction_id,
              model: refit.model_name,
              detail: '',
            }
          }
        />
      </dl>
      {cv === undefined && metric !== undefined ? <p className="text-xs text-muted">{overview.unknownDirection(metric)}</p> : null}
      {dataset.scores.length < 2 || metric === undefined ? null : (
        <StripPlot
          values={dataset.scores}
          label={overview.strip(dataset.scores.length, metricLabel(metric, 'val'))}
          tick={(value, domain) => tickText(value, domain, format.decimal)}
        />
      )}
      <Link
        to={paths.predictions}
        search={{ dataset_name: [dataset.dataset_name] }}
        className="mt-auto font-medium text-accent hover:underline"
        aria-label={`${overview.openDataset}: ${dataset.dataset_name}`}
      >
        {overview.openDataset}
      </Link>
    </li>
  )
}

interface BestScore {
  readonly metric: string
  readonly direction: 'higher' | 'lower' | 'zero' | 'unknown'
  readonly score: number
  readonly id: string
  readonly model: string
  readonly detail: string
}

const arrows = { higher: '↑', lower: '↓', zero: '→0', unknown: '?' } as const

const Best = ({ title, best }: { title: string; best: BestScore | undefined }) => {
  const { overview, metric } = useText()
  const format = useFormat()
  return (
    <div className="min-w-0">
      <dt className="text-xs text-muted">{title}</dt>
      {best === undefined ? (
        <dd className="text-muted">{overview.noScore}</dd>
      ) : (
        <dd>
          <span className="flex items-baseline gap-1.5">
            <span className="text-lg font-semibold" title={format.exact(best.score)}>
              {format.score(best.score)}
            </span>
            <span className="text-xs text-muted" title={metric[best.direction]}>
              {best.metric} <span aria-hidden>{arrows[best.direction]}</span>
              <span className="sr-only">{metric[best.direction]}</span>
            </span>
          </span>
          <Link
            to={paths.predictions}
            search={{ peek: best.id, q: best.id }}
            title={[best.model, best.detail].filter((part) => part !== '').join(', ')}
            className="block truncate text-xs text-accent hover:underline"
          >
            {best.model}
          </Link>
        </dd>
      )}
    </div>
  )
}
