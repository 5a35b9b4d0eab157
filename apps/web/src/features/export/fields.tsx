import { useText } from '../../text/text.tsx'

interface ChoiceProps<T extends string> {
  readonly title: string
  readonly name: string
  readonly value: T
  readonly options: readonly { value: T; label: string; hint: string }[]
  readonly onChange: (value: T) => void
}

export const ChoiceField = <T extends string>({ title, name, value, options, onChange }: ChoiceProps<T>) => (
  <fieldset>
    <legend className="mb-1 font-semibold">{title}</legend>
    {options.map((option) => (
      <label key={option.value} className="flex min-h-8 cursor-pointer items-baseline gap-2.5 rounded px-1.5 py-1 hover:bg-hover">
        <input
          type="radio"
          name={name}
          checked={option.value === value}
          onChange={() => onChange(option.value)}
          className="relative top-0.5 size-4 shrink-0 accent-(--accent)"
        />
        <span>
          {option.label} <span className="text-xs text-muted">{option.hint}</span>
        </span>
      </label>
    ))}
  </fieldset>
)

interface SelectProps {
  readonly title: string
  readonly value: string
  /** All there are. */
  readonly values: readonly string[]
  /** Those that the table shows, when it does not show all: then there is no other choice. */
  readonly shown: readonly string[] | undefined
  readonly onChange: (value: string) => void
}

/** One of the values, or any. */
export const SelectField = ({ title, value, values, shown, onChange }: SelectProps) => {
  const text = useText()
  const only = shown?.[0] === '' ? text.common.empty : shown?.[0]
  return (
    <label className="grid min-w-0 gap-1">
      <span className="font-semibold">{title}</span>
      <select value={value} onChange={(event) => onChange(event.target.value)} className="field w-full min-w-0">
        <option value="">{shown === undefined ? text.export.any : shown.length === 1 ? only : text.export.asTable}</option>
        {(shown === undefined ? values : shown.length === 1 ? [] : shown).map((each) => (
          <option key={each} value={each}>
            {each}
          </option>
        ))}
      </select>
    </label>
  )
}
