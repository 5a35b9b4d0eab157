import type { DatasetOverview } from '@nirs-workspace/types'
import { isSameMetric, metricDirection, spellingsByMetric } from '@nirs-workspace/types/metric'
import { Link } from '@tanstack/react-router'
import { StripPlot } from '../../charts/strip-plot.tsx'
import { paths } from '../../paths.ts'
import type { Text } from '../../text/en.ts'
import { metricAmong, metricName } from '../../text/metric-name.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { datasetLabel, taskLabel } from '../../text/value-label.ts'
import { Badge } from '../../ui/badge.tsx'
import { BestCvScore, BestRefitScore } from './best-scores.tsx'

/** One dataset: its task, the best of cross-validation and of refits (never mixed), and how the scores spread. */
export const DatasetCard = ({ dataset, unreadable }: { dataset: DatasetOverview; unreadable: boolean }) => {
  const text = useText()
  const { overview, common } = text
  const format = useFormat()
  const name = datasetLabel(dataset.dataset_name, text)
  const metrics = spellingsByMetric(dataset.metrics).flatMap(([name]) => name ?? [])
  const [metric] = metrics
  const others = metrics.slice(1).map((each) => metricAmong(text, each, metrics))
  const remark = whyNotRanked(dataset, text)
  return (
    <li className="card flex min-w-0 flex-col gap-3 p-4">
      <h3 className="font-semibold break-words">{name}</h3>
      <p className="-mt-2 text-xs text-muted">
        <span className="mr-1.5">
          <Badge>{taskLabel(dataset.task_type, text)}</Badge>
        </span>
        {common.predictions(dataset.predictions)} · {common.models(dataset.models)}
        {unreadable && dataset.arrays === 0 ? null : ` · ${common.withArrays(dataset.arrays)}`}
        {unreadable ? (
          <span className="ml-1.5">
            <Badge tone="warning" title={overview.unreadableCardHint}>
              {overview.unreadableCard}
            </Badge>
          </span>
        ) : null}
      </p>
      <dl className="grid grid-cols-2 gap-3">
        <BestCvScore dataset={dataset} best={ofMetric(dataset.best_cv, metric)} />
        <BestRefitScore best={ofMetric(dataset.best_refit, metric)} />
      </dl>
      {remark === undefined ? null : <p className="text-xs text-muted">{remark}</p>}
      {others.length === 0 ? null : <p className="text-xs text-muted">{overview.otherMetrics(others.join(', '))}</p>}
      {dataset.scores.length < 2 || metric === undefined ? null : (
        <StripPlot values={dataset.scores} label={overview.strip(dataset.scores.length, metricName(text, metric))} end={format.score} />
      )}
      <Link
        to={paths.predictions}
        search={{ dataset_name: [dataset.dataset_name] }}
        className="mt-auto self-start font-medium text-accent hover:underline"
        aria-label={`${overview.openDataset}: ${name}`}
      >
        {overview.openDataset}
      </Link>
    </li>
  )
}

/** The most used metric's best, so that the figures and the strip below speak of one metric; else the first that can be ranked. */
const ofMetric = <B extends { readonly metric: string }>(best: readonly B[], metric: string | undefined): B | undefined =>
  best.find((each) => metric !== undefined && isSameMetric(each.metric, metric)) ?? best[0]

const whyNotRanked = (dataset: DatasetOverview, { overview }: Text): string | undefined => {
  if (dataset.best_cv.length > 0) return undefined
  const unknown = dataset.metrics.filter((name) => metricDirection(name) === 'unknown')
  if (dataset.scores.length === 0) return overview.noFiniteScore
  return unknown.length === 0 ? undefined : overview.unknownDirection(unknown.join(', '))
}
