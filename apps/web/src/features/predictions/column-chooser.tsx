import { Popover } from '@base-ui/react/popover'
import type { PredictionColumn } from '@nirs-workspace/types'
import { Columns3 } from 'lucide-react'
import { useState } from 'react'
import { useText } from '../../text/text.tsx'
import { Button, buttonClass } from '../../ui/button.tsx'
import type { Change } from './change.ts'
import { pinnedColumns, shownColumns, withColumnToggled, withStandardColumns } from './column-choice.ts'
import { gridColumns } from './columns.ts'
import type { PredictionSearch } from './search.ts'
import { ShownColumns } from './shown-columns.tsx'

/** Which columns are shown, in which order, and which stay at the left; the choice goes into the address. */
export const ColumnChooser = ({ search, change, disabled }: { search: PredictionSearch; change: Change; disabled: boolean }) => {
  const text = useText()
  const [query, setQuery] = useState('')
  const shown = shownColumns(search)
  const matches = (id: PredictionColumn): boolean => `${id} ${text.columns[id]}`.toLowerCase().includes(query.trim().toLowerCase())
  const toggle = (id: PredictionColumn): void => change((before) => withColumnToggled(before, id))
  const hidden = gridColumns.map(({ id }) => id).filter((id) => !shown.includes(id) && matches(id))
  const found = shown.filter(matches)
  return (
    <Popover.Root onOpenChange={(open) => open || setQuery('')}>
      <Popover.Trigger disabled={disabled} title={text.predictions.columns} className={buttonClass('plain', 'max-sm:px-2.5')}>
        <Columns3 size={16} aria-hidden /> <span className="max-sm:sr-only">{text.predictions.columns}</span>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner sideOffset={4} align="end" className="z-40">
          <Popover.Popup
            aria-label={text.predictions.columns}
            className="flex max-h-[min(40rem,var(--available-height))] w-80 max-w-[calc(100vw-1rem)] flex-col rounded-lg border border-line bg-raised shadow-pop outline-none"
          >
            <div className="grid grid-cols-1 gap-2 border-b border-line p-2">
              <input
                type="text"
                value={query}
                onChange={(event) => setQuery(event.target.value)}
                aria-label={text.predictions.searchColumns}
                placeholder={text.predictions.searchColumns}
                className="field w-full"
              />
              <Differing search={search} change={change} />
            </div>
            <div className="min-h-0 flex-1 overflow-y-auto p-1">
              <ShownColumns columns={found} all={shown} pinned={pinnedColumns(search)} change={change} onToggle={toggle} />
              {hidden.length === 0 ? null : (
                <h3 className="px-2 pt-3 pb-1 text-xs font-semibold text-muted">{text.predictions.hiddenColumns}</h3>
              )}
              <ul>
                {hidden.map((id) => (
                  <li key={id}>
                    <label
                      className="flex min-h-8 cursor-pointer items-center gap-2.5 rounded px-2 hover:bg-hover"
                      title={text.columnHints[id]}
                    >
                      <input type="checkbox" checked={false} onChange={() => toggle(id)} className="size-4 accent-(--accent)" />
                      {text.columns[id]}
                    </label>
                  </li>
                ))}
              </ul>
              {found.length + hidden.length === 0 ? <p className="p-2 text-muted">{text.predictions.noColumn}</p> : null}
            </div>
            <footer className="flex items-center justify-between border-t border-line px-3 py-2 text-muted">
              {text.predictions.shownColumns(shown.length)}
              <Button tone="quiet" onClick={() => change(withStandardColumns)}>
                {text.predictions.resetColumns}
              </Button>
            </footer>
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}

const Differing = ({ search, change }: { search: PredictionSearch; change: Change }) => {
  const { predictions } = useText()
  return (
    <label className="flex min-h-8 cursor-pointer items-center gap-2.5 px-2" title={predictions.onlyDifferingHint}>
      <input
        type="checkbox"
        checked={search.differ === 'only'}
        onChange={(event) => {
          const { checked } = event.target
          change(({ differ: _, ...rest }) => (checked ? { ...rest, differ: 'only' } : rest))
        }}
        className="size-4 accent-(--accent)"
      />
      {predictions.onlyDiffering}
    </label>
  )
}
