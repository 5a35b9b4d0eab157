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
