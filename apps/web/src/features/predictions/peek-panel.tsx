import type { PredictionDetail, PredictionRow, Scatter } from '@nirs-workspace/types'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { ChevronDown, ChevronUp, Link2, X } from 'lucide-react'
import { useState } from 'react'
import { isApiError } from '../../api/client.ts'
import { predictionQuery, scatterQuery } from '../../api/queries.ts'
import { useWorkspace } from '../../api/workspace.tsx'
import { classNames } from '../../lib/class-names.ts'
import { copyText } from '../../lib/copy-text.ts'
import { showToast } from '../../stores/toast.ts'
import { useText } from '../../text/text.tsx'
import { datasetLabel } from '../../text/value-label.ts'
import { Badge } from '../../ui/badge.tsx'
import { IconButton } from '../../ui/button.tsx'
import { Notice } from '../../ui/notice.tsx'
import { PartitionMark } from '../../ui/partition-mark.tsx'
import { ErrorMessage, Loading, Skeleton } from '../../ui/states.tsx'
import { PeekFolds } from './peek-folds.tsx'
import { PeekParameters } from './peek-parameters.tsx'
import { peekPlace } from './peek-place.ts'
import { PeekPlot } from './peek-plot.tsx'
import { PeekSamples } from './peek-samples.tsx'
import type { PinnedSample } from './pinned-sample.ts'
import { type PeekTab, peekTabs } from './search.ts'
import { UnreadableValues } from './unreadable-values.tsx'

export interface PeekProps {
  readonly id: string
  /** Whether measured and predicted values can be drawn; undefined when the table does not know, as after following a link. */
  readonly arraysState: PredictionRow['arrays_state'] | undefined
  readonly tab: PeekTab | undefined
  readonly onTab: (tab: PeekTab) => void
  /** Shows another prediction, such as another fold of the same model. */
  readonly onJump: (id: string) => void
  /** Goes to the row above (−1) or below (1). */
  readonly onStep: (step: -1 | 1) => void
  readonly onClose: () => void
}

/** One prediction beside the table. */
export const PeekPanel = (props: PeekProps) => {
  const text = useText()
  const workspace = useWorkspace()
  const detail = useQuery({ ...predictionQuery(workspace.id, props.id), placeholderData: keepPreviousData })
  const known = detail.isPlaceholderData ? undefined : detail.data?.arrays_state
  const drawable = (props.arraysState ?? known) === 'stored'
  const scatter = useQuery({ ...scatterQuery(workspace.id, props.id), placeholderData: keepPreviousData, enabled: drawable })
  const gone = isApiError(detail.error, 'prediction_not_found')
  return (
    <aside aria-label={text.peek.label} className={peekPlace}>
      <PeekHeader {...props} detail={detail.data} />
      {gone ? <p className="p-6 text-center break-words text-muted">{text.peek.missing(props.id)}</p> : null}
      {detail.isError && !gone ? <ErrorMessage error={detail.error} onRetry={() => void detail.refetch()} /> : null}
      {detail.isPending ? <PeekSkeleton /> : null}
      {detail.data === undefined || gone ? null : (
        <PeekBody
          {...props}
          detail={detail.data}
          scatter={scatter.data}
          scatterError={scatter.error}
          onScatterRetry={() => void scatter.refetch()}
          reading={detail.isFetching || scatter.isFetching}
          stale={detail.isPlaceholderData || (drawable && scatter.isPlaceholderData)}
        />
      )}
    </aside>
  )
}

const PeekHeader = ({ detail, onStep, onClose }: PeekProps & { detail: PredictionDetail | undefined }) => {
  const { peek, common } = useText()
  const copyLink = async (): Promise<void> => {
    if (await copyText(location.href)) showToast('success', peek.linkCopied)
    else showToast('danger', common.notCopied)
  }
  return (
    <header className="border-b border-line py-1.5 pr-1.5 pl-4">
      <div className="flex items-center gap-0.5">
        <h2 className="min-w-0 flex-1 truncate font-semibold" title={detail?.model_name}>
          {detail?.model_name ?? peek.label}
        </h2>
        <IconButton label={peek.previous} onClick={() => onStep(-1)}>
          <ChevronUp size={17} aria-hidden />
        </IconButton>
        <IconButton label={peek.next} onClick={() => onStep(1)}>
          <ChevronDown size={17} aria-hidden />
        </IconButton>
        <IconButton label={peek.copyLink} onClick={() => void copyLink()}>
          <Link2 size={17} aria-hidden />
        </IconButton>
        <IconButton label={common.close} onClick={onClose}>
          <X size={17} aria-hidden />
        </IconButton>
      </div>
      {detail === undefined ? null : <Identity detail={detail} />}
    </header>
  )
}

const Identity = ({ detail }: { detail: PredictionDetail }) => {
  const text = useText()
  return (
    <p className="flex flex-wrap items-center gap-x-2 gap-y-0.5 pb-1 text-xs text-muted">
      <span className="font-medium text-ink">{datasetLabel(detail.dataset_name, text)}</span>
      <span title={text.columns.preprocessings}>{detail.preprocessings === '' ? text.common.none : detail.preprocessings}</span>
      <span className="flex items-center gap-1">
        <PartitionMark partition={detail.partition} /> {detail.partition}
      </span>
      <span>
        {text.columns.fold_id.toLowerCase()} {detail.fold_id}
      </span>
      <Badge tone={detail.fold_kind === 'refit' ? 'accent' : 'neutral'}>{text.foldKinds[detail.fold_kind]}</Badge>
    </p>
  )
}

interface BodyProps extends PeekProps {
  readonly detail: PredictionDetail
  readonly scatter: Scatter | undefined
  readonly scatterError: Error | null
  readonly onScatterRetry: () => void
  /** Row or arrays are read anew. */
  readonly reading: boolean
  readonly stale: boolean
}

const PeekBody = ({ detail, scatter, scatterError, onScatterRetry, reading, stale, tab, onTab, onJump }: BodyProps) => {
  const [pinned, setPinned] = useState<PinnedSample>()
  const classifies = scatter?.classification != null
  const tabs = peekTabs.filter((name) => !(classifies && name === 'residuals'))
  const shown = tabs.find((name) => name === tab) ?? 'chart'
  return (
    <>
      <Tabs tabs={tabs} shown={shown} classifies={classifies} onTab={onTab} />
      <div
        role="tabpanel"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so keys must be able to reach it
        tabIndex={0}
        aria-labelledby={`peek-${shown}`}
        className={classNames('min-h-0 flex-1 overflow-y-auto p-4', stale && 'opacity-50')}
      >
        {shown === 'folds' ? <PeekFolds detail={detail} onJump={onJump} /> : null}
        {shown === 'parameters' ? <PeekParameters detail={detail} /> : null}
        {shown === 'samples' || shown === 'chart' || shown === 'residuals' ? (
          <WithArrays detail={detail} scatter={scatter} error={scatterError} onRetry={onScatterRetry}>
            {(found) =>
              shown === 'samples' ? (
                <PeekSamples scatter={found} pinned={pinned} onPin={setPinned} />
              ) : (
                <PeekPlot
                  scatter={found}
                  residuals={shown === 'residuals'}
                  detail={detail}
                  reading={reading}
                  pinned={pinned}
                  onPin={setPinned}
                />
              )
            }
          </WithArrays>
        ) : null}
      </div>
    </>
  )
}

const Tabs = ({
  tabs,
  shown,
  classifies,
  onTab,
}: {
  tabs: readonly PeekTab[]
  shown: PeekTab
  classifies: boolean
  onTab: (tab: PeekTab) => void
}) => {
  const { peek } = useText()
  const step = (key: string): void => {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[key]
    const next = move === undefined ? undefined : tabs[(tabs.indexOf(shown) + move + tabs.length) % tabs.length]
    if (next === undefined) return
    onTab(next)
    document.getElementById(`peek-${next}`)?.focus()
  }
  return (
    <div
      role="tablist"
      aria-label={peek.label}
      className="flex overflow-x-auto border-b border-line px-2"
      onKeyDown={(event) => step(event.key)}
    >
      {tabs.map((name) => (
        <button
          key={name}
          id={`peek-${name}`}
          type="button"
          role="tab"
          aria-selected={name === shown}
          tabIndex={name === shown ? 0 : -1}
          onClick={() => onTab(name)}
          className={classNames(
            '-mb-px min-h-9 border-b-2 px-2 text-[0.93rem] whitespace-nowrap',
            name === shown ? 'border-accent font-semibold text-ink' : 'border-transparent text-muted hover:text-ink',
          )}
        >
          {name === 'chart' && classifies ? peek.confusion : peek.tabs[name]}
        </button>
      ))}
    </div>
  )
}

interface WithArraysProps {
  readonly detail: PredictionDetail
  readonly scatter: Scatter | undefined
  readonly error: Error | null
  readonly onRetry: () => void
  readonly children: (scatter: Scatter) => React.ReactNode
}

const WithArrays = ({ detail, scatter, error, onRetry, children }: WithArraysProps) => {
  const { peek } = useText()
  if (detail.arrays_state === 'unreadable') return <UnreadableValues file={detail.unreadable_file} />
  if (detail.arrays_state === 'none') return <p className="py-10 text-center text-muted">{peek.noArrays}</p>
  if (error !== null) return <ErrorMessage error={error} onRetry={onRetry} />
  if (scatter === undefined) return <PeekSkeleton />
  const { y_true, y_pred } = scatter
  if (y_true.length !== y_pred.length) return <Notice tone="warning">{peek.unpaired(y_true.length, y_pred.length)}</Notice>
  return y_true.length === 0 ? <p className="py-10 text-center text-muted">{peek.emptyArrays}</p> : children(scatter)
}

const PeekSkeleton = () => (
  <Loading>
    <div className="grid grid-cols-1 gap-4 p-4">
      <Skeleton className="aspect-square w-full" />
      <Skeleton className="h-24 w-full" />
    </div>
  </Loading>
)
