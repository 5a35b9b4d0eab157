import type { FacetColumn, Facets } from '@nirs-workspace/types'
import { ChevronRight } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { useFormat, useText } from '../../text/text.tsx'
import { valueLabel } from '../../text/value-label.ts'
import { PartitionMark } from '../../ui/partition-mark.tsx'
import { FacetList } from './facet-list.tsx'

type Facet = NonNullable<Facets['facets'][FacetColumn]>
interface FacetItem {
  readonly value: string
  /** Undefined where nobody knows: the value is none of those that were counted out. */
  readonly count: number | undefined
}

interface GroupProps {
  readonly column: FacetColumn
  readonly facet: Facet | undefined
  readonly chosen: readonly string[]
  readonly onToggle: (column: FacetColumn, value: string) => void
  readonly open: boolean
}

/** Values before a search field appears; from there the list scrolls by itself. */
const searchFrom = 9

export const FacetGroup = ({ column, facet, chosen, onToggle, open }: GroupProps) => {
  const text = useText()
  const [query, setQuery] = useState('')
  if (facet === undefined) return null
  const items = facetItems(facet, chosen)
  const all = items.map(({ value }) => value)
  const found = items.filter(({ value }) =>
    `${value} ${valueLabel(column, value, text, all)}`.toLowerCase().includes(query.trim().toLowerCase()),
  )
  const hidden = facet.distinct - items.length
  return (
    <FacetSection title={text.columns[column]} hint={text.columnHints[column]} badge={facet.distinct} open={open || chosen.length > 0}>
      {items.length < searchFrom ? null : (
        <input
          type="text"
          value={query}
          onChange={(event) => setQuery(event.target.value)}
          placeholder={text.common.search}
          aria-label={text.predictions.facetSearch(text.columns[column])}
          className="field mb-1 h-8! w-full text-xs"
        />
      )}
      <FacetList
        label={text.columns[column]}
        items={found}
        chosen={chosen}
        render={(item, tabIndex) => (
          <FacetRow column={column} item={item} all={all} tabIndex={tabIndex} chosen={chosen} onToggle={onToggle} />
        )}
      />
      {hidden > 0 ? <p className="px-1 pt-1 text-xs text-muted">{text.predictions.facetMore(hidden)}</p> : null}
    </FacetSection>
  )
}

/** A chosen value stays in the list when the other filters leave none of it, or it is beyond those that the server lists. */
const facetItems = (facet: Facet, chosen: readonly string[]): FacetItem[] => {
  const items = facet.values.map(({ value, count }) => ({ value: value ?? '', count }))
  const missing = chosen.filter((value) => !items.some((item) => item.value === value))
  const count = facet.values.length < facet.distinct ? undefined : 0
  return [...missing.map((value) => ({ value, count })), ...items]
}

export const FacetSection = ({
  title,
  hint,
  badge,
  open,
  children,
}: {
  title: string
  hint: string
  badge?: number
  open: boolean
  children: ReactNode
}) => {
  const format = useFormat()
  const [initially] = useState(open)
  return (
    <details open={initially} className="group border-b border-line">
      <summary className="flex min-h-9 list-none items-center gap-1.5 px-3 text-xs font-semibold hover:bg-hover" title={hint}>
        <ChevronRight size={14} aria-hidden className="text-muted transition-transform duration-100 group-open:rotate-90" />
        <span className="flex-1">{title}</span>
        {badge === undefined ? null : <span className="font-normal text-muted">{format.int(badge)}</span>}
      </summary>
      <div className="px-3 pb-2">{children}</div>
    </details>
  )
}

interface RowProps extends Pick<GroupProps, 'column' | 'chosen' | 'onToggle'> {
  readonly item: FacetItem
  readonly all: readonly string[]
  readonly tabIndex: 0 | -1
}

const FacetRow = ({ column, item, all, tabIndex, chosen, onToggle }: RowProps) => {
  const text = useText()
  const format = useFormat()
  const label = valueLabel(column, item.value, text, all)
  return (
    <label className="flex h-full cursor-pointer items-center gap-2 rounded px-1 text-[0.93rem] hover:bg-hover">
      <input
        type="checkbox"
        tabIndex={tabIndex}
        checked={chosen.includes(item.value)}
        onChange={() => onToggle(column, item.value)}
        className="size-3.5 shrink-0 accent-(--accent)"
      />
      {column === 'partition' ? <PartitionMark partition={item.value} /> : null}
      <span className="min-w-0 flex-1 truncate" title={label}>
        {label}
      </span>
      <span className="text-xs text-muted">{item.count === undefined ? null : format.int(item.count)}</span>
    </label>
  )
}
