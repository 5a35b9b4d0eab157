import type { PredictionDetail, Scatter } from '@nirs-workspace/types'
import { fromWireNumber, type WireNumber } from '@nirs-workspace/types/number'
import { useMemo } from 'react'
import { ConfusionMatrix } from '../../charts/confusion-matrix.tsx'
import { PointPlot } from '../../charts/point-plot.tsx'
import { finitePoints, lineInside, niceDomain, type Point, residualDomain, squareDomain, thin } from '../../charts/square-scale.ts'
import { tickTexts } from '../../charts/tick-text.ts'
import type { Text } from '../../text/en.ts'
import { metricName } from '../../text/metric-name.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { Notice } from '../../ui/notice.tsx'
import { ClassFigures, RegressionTable } from './peek-figures.tsx'
import { type PinnedSample, pinnedPlace, targetsOf, togglePin } from './pinned-sample.ts'
import { sampleName } from './sample-name.ts'
import { ScoreNote } from './score-note.tsx'
import { arraysKind } from './stored-score.ts'

interface PlotProps {
  readonly scatter: Scatter
  readonly residuals: boolean
  readonly detail: PredictionDetail
  /** Row or arrays are read anew. */
  readonly reading: boolean
  readonly pinned: PinnedSample | undefined
  readonly onPin: (pinned: PinnedSample | undefined) => void
}

/** Predicted against measured, or residuals against predicted, with the figures below; for classes the confusion matrix. */
export const PeekPlot = ({ scatter, residuals, detail, reading, pinned, onPin }: PlotProps) => {
  const text = useText()
  const targets = targetsOf(scatter)
  if (scatter.classification !== null) {
    return (
      <div className="grid grid-cols-1 gap-5">
        <ConfusionMatrix labels={scatter.classification.labels} counts={scatter.classification.confusion} />
        <ScoreNote detail={detail} scatter={scatter} reading={reading} />
        <TargetsNote targets={targets} />
        <ClassFigures figures={scatter.classification} targets={targets} />
      </div>
    )
  }
  const rmse = rmseName(scatter, detail, text)
  const Plot = residuals ? ResidualPlot : MeasuredPredicted
  return (
    <div className="grid grid-cols-1 gap-4">
      <Plot scatter={scatter} rmse={rmse} pinned={pinned} onPin={onPin} />
      <ScoreNote detail={detail} scatter={scatter} reading={reading} />
      <TargetsNote targets={targets} />
      {scatter.regression === null ? null : <RegressionTable figures={scatter.regression} rmseName={rmse} targets={targets} />}
    </div>
  )
}

/** Errors in different units have no common size: a figure over several targets must not pass for that of one. */
const TargetsNote = ({ targets }: { targets: number }) => {
  const { peek } = useText()
  return targets === 1 ? null : <Notice tone="info">{peek.severalTargets(targets)}</Notice>
}

/** RMSECV only where every sample was predicted by a model that had not seen it; no such name while the arrays are of another row. */
const rmseName = (scatter: Scatter, detail: PredictionDetail, text: Text): string => {
  if (detail.prediction_id !== scatter.prediction_id) return text.peek.rmseOfArrays
  const kind = arraysKind(detail, scatter)
  if (kind === 'mixed' || kind === 'unclear' || (detail.partition === 'val' && detail.fold_kind === 'other')) return text.peek.rmseOfArrays
  return metricName(text, 'rmse', kind === 'test as validation' ? undefined : scatter.partition, detail.fold_kind === 'refit')
}

interface CurveProps extends Pick<PlotProps, 'pinned' | 'onPin'> {
  readonly scatter: Scatter
  /** What the RMSE of these arrays is called. */
  readonly rmse: string
}

interface Drawn {
  readonly all: readonly Point[]
  readonly drawn: readonly Point[]
  readonly skipped: number
}

const usePoints = ({ scatter, pinned }: CurveProps): Drawn => {
  const all = useMemo(() => finitePoints(scatter.y_true.map(toNumber), scatter.y_pred.map(toNumber)), [scatter])
  const marked = pinnedPlace(scatter, pinned)
  const drawn = useMemo(() => thin(all, { targets: targetsOf(scatter), marked }), [all, scatter, marked])
  return { all, drawn, skipped: scatter.y_true.length - all.length }
}

const toNumber = (value: WireNumber | null): number | null => (value === null ? null : fromWireNumber(value))

/** What the two plots have in common: names, and the pinned sample with what a click does to it. */
const usePinning = ({ scatter, pinned, onPin }: CurveProps, points: readonly Point[]) => {
  const text = useText()
  const place = pinnedPlace(scatter, pinned)
  return {
    pinned: points.find((point) => point.index === place),
    nameOf: (dot: Point) => text.peek.sample(sampleName(scatter, dot.index, text)),
    onPin: (dot: Point) => onPin(togglePin(scatter, dot.index, pinned)),
  }
}

const MeasuredPredicted = (props: CurveProps) => {
  const { scatter, rmse } = props
  const { peek } = useText()
  const format = useFormat()
  const points = usePoints(props)
  const pinning = usePinning(props, points.all)
  const domain = useMemo(() => squareDomain(points.all), [points.all])
  const figures = scatter.regression
  const fitted = figures === null ? undefined : lineInside(fromWireNumber(figures.slope), fromWireNumber(figures.intercept), domain)
  return (
    <Figure scatter={scatter} rmse={rmse} points={points}>
      <PointPlot
        dots={points.drawn}
        xDomain={domain}
        yDomain={domain}
        xLabel={peek.measured}
        yLabel={peek.predicted}
        partition={scatter.partition}
        label={`${peek.chartLabel(scatter.partition)}. ${peek.stepHint}`}
        height={382}
        ticks={(range) => tickTexts(range, format.decimal)}
        {...pinning}
        describe={(dot) =>
          `${pinning.nameOf(dot)}: ${peek.measured.toLowerCase()} ${format.score(dot.x)}, ${peek.predicted.toLowerCase()} ${format.score(dot.y)}`
        }
        lines={(x, y) => (
          <>
            <line x1={x(domain[0])} y1={y(domain[0])} x2={x(domain[1])} y2={y(domain[1])} stroke="var(--muted)" strokeDasharray="5 4">
              <title>{peek.oneToOne}</title>
            </line>
            {fitted === undefined ? null : (
              <line
                x1={x(fitted[0][0])}
                y1={y(fitted[0][1])}
                x2={x(fitted[1][0])}
                y2={y(fitted[1][1])}
                stroke="var(--ink)"
                strokeWidth={1.25}
              >
                <title>{peek.fitted}</title>
              </line>
            )}
          </>
        )}
      />
      <Legend fitted={fitted !== undefined} />
    </Figure>
  )
}

/** Only what is drawn: the fitted line may lie outside, or not exist. */
const Legend = ({ fitted }: { fitted: boolean }) => {
  const { peek } = useText()
  return (
    <p className="flex justify-center gap-4 text-xs text-muted">
      <span className="flex items-center gap-1.5">
        <svg width="22" height="6" aria-hidden>
          <line x1="0" y1="3" x2="22" y2="3" stroke="var(--muted)" strokeDasharray="5 4" />
        </svg>
        {peek.oneToOne}
      </span>
      {fitted ? (
        <span className="flex items-center gap-1.5">
          <svg width="22" height="6" aria-hidden>
            <line x1="0" y1="3" x2="22" y2="3" stroke="var(--ink)" strokeWidth="1.25" />
          </svg>
          {peek.fitted}
        </span>
      ) : null}
    </p>
  )
}

const residualOf = (point: Point): Point => ({ index: point.index, x: point.y, y: point.y - point.x })

const ResidualPlot = (props: CurveProps) => {
  const { scatter, rmse } = props
  const { peek } = useText()
  const format = useFormat()
  const points = usePoints(props)
  const dots = useMemo(() => points.drawn.map(residualOf), [points.drawn])
  const pinning = usePinning(props, points.all)
  const xDomain = useMemo(() => niceDomain(points.all.map((point) => point.y)), [points.all])
  const yDomain = useMemo(() => residualDomain(points.all), [points.all])
  return (
    <Figure scatter={scatter} rmse={rmse} points={points}>
      <PointPlot
        dots={dots}
        xDomain={xDomain}
        yDomain={yDomain}
        xLabel={peek.predicted}
        yLabel={peek.residual}
        partition={scatter.partition}
        label={`${peek.residualLabel(scatter.partition)}. ${peek.stepHint}`}
        height={290}
        ticks={(range) => tickTexts(range, format.decimal)}
        {...pinning}
        pinned={pinning.pinned && residualOf(pinning.pinned)}
        describe={(dot) => `${pinning.nameOf(dot)}: ${peek.residual.toLowerCase()} ${format.score(dot.y)}`}
        lines={(x, y) => <line x1={x(xDomain[0])} x2={x(xDomain[1])} y1={y(0)} y2={y(0)} stroke="var(--ink)" />}
      />
    </Figure>
  )
}

/** The plot, what it says in words, and what it leaves out. */
const Figure = ({
  scatter,
  rmse,
  points,
  children,
}: Omit<CurveProps, 'pinned' | 'onPin'> & { points: Drawn; children: React.ReactNode }) => {
  const { peek } = useText()
  const format = useFormat()
  const figures = scatter.regression
  return (
    <figure>
      {children}
      <figcaption className="sr-only">
        {figures === null
          ? null
          : peek.summary(figures.n, format.score(figures.r2), format.score(figures.bias), format.score(figures.rmse), rmse)}
      </figcaption>
      {points.skipped === 0 ? null : <p className="mt-1 text-xs text-warning">{peek.skipped(points.skipped)}</p>}
      {points.drawn.length === points.all.length ? null : (
        <p className="mt-1 text-xs text-muted">{peek.thinned(points.drawn.length, points.all.length)}</p>
      )}
    </figure>
  )
}
