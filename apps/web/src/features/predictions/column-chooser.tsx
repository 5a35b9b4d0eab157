import { Popover } from '@base-ui/react/popover'
import type { PredictionColumn } from '@nirs-workspace/types'
import { Columns3 } from 'lucide-react'
import { useState } from 'react'
import { useText } from '../../text/text.tsx'
import { Button, buttonClass } from '../../ui/button.tsx'
import type { Change } from './change.ts'
import { gridColumns } from './columns.ts'
import { type PredictionSearch, shownColumns, withColumns } from './search.ts'

/** Which columns are shown; the choice goes into the address. */
export const ColumnChooser = ({ search, change }: { search: PredictionSearch; change: Change }) => {
  const text = useText()
  const [query, setQuery] = useState('')
  const shown = shownColumns(search)
  const found = gridColumns.filter(({ id }) => `${id} ${text.columns[id]}`.toLowerCase().includes(query.trim().toLowerCase()))
  const toggle = (id: PredictionColumn): void => change((before) => withColumns(before, toggled(shownColumns(before), id)), true)
  return (
    <Popover.Root onOpenChange={(open) => open || setQuery('')}>
      <Popover.Trigger className={buttonClass('plain')}>
        <Columns3 size={16} aria-hidden /> {text.predictions.columns}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner sideOffset={4} align="end" className="z-40">
          <Popover.Popup
            aria-label={text.predictions.columns}
            className="flex max-h-[min(32rem,var(--available-height))] w-72 flex-col rounded-lg border border-line bg-raised shadow-pop outline-none"
          >
            <div className="border-b border-line p-2">
              <input
                type="text"
                value={query}
                onChange={(event) => setQuery(event.target.value)}
                aria-label={text.predictions.searchColumns}
                placeholder={text.predictions.searchColumns}
                className="field w-full"
              />
            </div>
            <ul className="min-h-0 flex-1 overflow-y-auto p-1">
              {found.map(({ id }) => (
                <li key={id}>
                  <label
                    className="flex min-h-8 cursor-pointer items-center gap-2.5 rounded px-2 hover:bg-hover"
                    title={text.columnHints[id]}
                  >
                    <input
                      type="checkbox"
                      checked={shown.includes(id)}
                      disabled={shown.length === 1 && shown.includes(id)}
                      onChange={() => toggle(id)}
                      className="size-4 accent-(--accent)"
                    />
                    {text.columns[id]}
                  </label>
                </li>
              ))}
            </ul>
            <footer className="flex items-center justify-between border-t border-line px-3 py-2 text-muted">
              {text.predictions.shownColumns(shown.length)}
              <Button tone="quiet" onClick={() => change(({ cols: _, widths: __, ...rest }) => rest, true)}>
                {text.predictions.resetColumns}
              </Button>
            </footer>
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}

/** A column that comes back stands where the standard order has it. */
const toggled = (shown: readonly PredictionColumn[], id: PredictionColumn): PredictionColumn[] => {
  const next = shown.includes(id) ? shown.filter((other) => other !== id) : [...shown, id]
  return gridColumns.map((column) => column.id).filter((column) => next.includes(column))
}
