import type { PredictionDetail } from '@nirs-workspace/types'
import type { ReactNode } from 'react'
import { useFormat, useText } from '../../text/text.tsx'
import { Notice } from '../../ui/notice.tsx'

/** Where the prediction comes from, what the model was set to, and every score that was stored. */
export const PeekParameters = ({ detail }: { detail: PredictionDetail }) => {
  const { peek, common } = useText()
  const format = useFormat()
  const params = Object.entries(detail.params)
  return (
    <div className="grid grid-cols-1 gap-6">
      {detail.undecodable === undefined ? null : <Notice tone="warning">{peek.undecodable(detail.undecodable.join(', '))}</Notice>}
      <Section title={peek.params}>
        {params.length === 0 ? (
          <p className="text-muted">{peek.noParameters}</p>
        ) : (
          <Pairs pairs={params.map(([key, value]) => [key, plain(value)])} />
        )}
      </Section>
      {detail.best_params === null || detail.best_params === '{}' ? null : (
        <Section title={peek.parameters}>
          <pre className="overflow-x-auto rounded-md bg-sunken p-2 font-mono text-xs whitespace-pre-wrap">{detail.best_params}</pre>
        </Section>
      )}
      <Section title={peek.lineage}>
        <Pairs
          pairs={[
            [peek.run, detail.run_name ?? common.unknown],
            [peek.pipeline, detail.pipeline_name ?? common.unknown],
            [peek.chain, detail.chain_id ?? common.unknown],
            ['id', detail.prediction_id],
          ]}
        />
      </Section>
      {Object.keys(detail.scores).length === 0 ? null : (
        <Section title={peek.scores}>
          {Object.entries(detail.scores).map(([partition, scores]) => (
            <div key={partition} className="mb-3">
              <h4 className="text-xs font-semibold text-muted">{partition}</h4>
              <Pairs pairs={Object.entries(scores).map(([name, value]) => [name, scoreText(value, format.score)])} />
            </div>
          ))}
        </Section>
      )}
    </div>
  )
}

const Section = ({ title, children }: { title: string; children: ReactNode }) => (
  <section>
    <h3 className="mb-1.5 font-semibold">{title}</h3>
    {children}
  </section>
)

const Pairs = ({ pairs }: { pairs: readonly (readonly [string, string])[] }) => (
  <dl>
    {pairs.map(([name, value]) => (
      <div key={name} className="flex justify-between gap-4 border-b border-line py-1">
        <dt className="shrink-0 text-muted">{name}</dt>
        <dd className="min-w-0 text-right break-words">{value}</dd>
      </div>
    ))}
  </dl>
)

const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** Some releases wrote numbers as text. */
const scoreText = (value: number | string | null, score: (value: number) => string): string => {
  if (value === null) return '–'
  return typeof value === 'number' || (value.trim() !== '' && Number.isFinite(Number(value))) ? score(Number(value)) : value
}
