import { Check } from 'lucide-react'
import { classNames } from '../../lib/class-names.ts'
import { useText } from '../../text/text.tsx'

const steps = ['keep', 'review', 'migrate', 'done'] as const
export type Step = (typeof steps)[number]

/** Where the reader is on the way; the original being kept is settled from the start. */
export const Steps = ({ current }: { current: Step }) => {
  const { migration } = useText()
  const place = steps.indexOf(current)
  return (
    <div className="card p-4">
      <ol className="flex flex-wrap gap-x-6 gap-y-2">
        {steps.map((step, index) => {
          const past = index < place || current === 'done'
          return (
            <li
              key={step}
              aria-current={index === place ? 'step' : undefined}
              className={classNames('flex items-center gap-2', index === place ? 'font-semibold' : 'text-muted')}
            >
              <span
                aria-hidden
                className={classNames(
                  'grid size-6 place-items-center rounded-full border text-xs',
                  past ? 'border-accent bg-accent text-accent-ink' : index === place ? 'border-accent text-accent' : 'border-line-strong',
                )}
              >
                {past ? <Check size={13} /> : index + 1}
              </span>
              {migration.steps[step]}
            </li>
          )
        })}
      </ol>
      {current === 'done' ? null : <p className="mt-3 text-muted">{migration.keep}</p>}
    </div>
  )
}
