import { Search } from 'lucide-react'
import { classNames } from '../lib/class-names.ts'
import { longestSearch } from '../lib/url-search.ts'
import { useDebouncedText } from '../lib/use-debounced.ts'

interface SearchProps {
  readonly value: string
  readonly label: string
  readonly placeholder: string
  /** As `useDebouncedText` hands it on. */
  readonly onChange: (value: string, goesOn: boolean) => void
  readonly className: string
}

/** Words to look for; they are handed on once typing pauses. */
export const SearchField = ({ value, label, placeholder, onChange, className }: SearchProps) => {
  const draft = useDebouncedText(value, onChange)
  return (
    <div className={classNames('relative', className)}>
      <Search size={16} aria-hidden className="pointer-events-none absolute top-1/2 left-2.5 -translate-y-1/2 text-muted" />
      <input
        type="search"
        maxLength={longestSearch}
        value={draft.value}
        onChange={(event) => draft.set(event.target.value)}
        onBlur={draft.leave}
        aria-label={label}
        placeholder={placeholder}
        className="field w-full pl-8"
      />
    </div>
  )
}
