import { defaultRangeExtractor, type Range, useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react'

interface ListProps<Item> {
  readonly label: string
  readonly items: readonly Item[]
  readonly chosen: readonly string[]
  /** The one Tab stop has tabIndex 0; no other part of a row takes focus. */
  readonly render: (item: Item, tabIndex: 0 | -1) => ReactNode
}

const itemHeight = 28
const pageSize = 8
const listHeight = (pageSize + 0.5) * itemHeight

/** Long lists are drawn only where they are seen. One Tab stop; the arrow keys, Home, End and the page keys move inside. */
export const FacetList = <Item extends { readonly value: string }>({ label, items, chosen, render }: ListProps<Item>) => {
  const scroller = useRef<HTMLDivElement>(null)
  const { stop, ...handlers } = useRovingStop(items, chosen, scroller)
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => itemHeight,
    overscan: 6,
    initialRect: { width: 232, height: listHeight },
    rangeExtractor: (range) => withStop(range, stop),
  })
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot scroll by itself in every browser
    <div ref={scroller} role="group" aria-label={label} className="overflow-y-auto" style={{ maxHeight: listHeight }} {...handlers}>
      <div className="relative" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const item = items[index]
          return item === undefined ? null : (
            <div key={item.value} data-place={index} className="absolute inset-x-0" style={{ top: start, height: itemHeight }}>
              {render(item, index === stop ? 0 : -1)}
            </div>
          )
        })}
      </div>
    </div>
  )
}

/** The Tab stop stays in the page when it is scrolled away, so that focus is never lost. */
const withStop = (range: Range, stop: number): number[] => {
  const seen = defaultRangeExtractor(range)
  return seen.includes(stop) || stop >= range.count ? seen : [...seen, stop].toSorted((a, b) => a - b)
}

/** Which place is the Tab stop: that of the value used last, wherever it is now, or its old place when it has gone. */
const useRovingStop = (
  items: readonly { readonly value: string }[],
  chosen: readonly string[],
  scroller: { readonly current: HTMLElement | null },
) => {
  const [last, setLast] = useState<{ readonly value: string; readonly place: number }>()
  const focused = useRef(false)
  const now = items.findIndex(({ value }) => (last === undefined ? chosen.includes(value) : value === last.value))
  const stop = now >= 0 ? now : Math.max(0, Math.min(last?.place ?? 0, items.length - 1))
  const use = (place: number): void => {
    const value = items[place]?.value
    if (value !== undefined) setLast({ value, place })
  }
  // After every render: the row that had focus may have moved or gone.
  useEffect(() => {
    const target = scroller.current?.querySelector<HTMLElement>('[tabindex="0"]')
    if (focused.current && document.activeElement !== target) target?.focus()
  })
  return {
    stop,
    onFocus: ({ target }: { target: Element }) => {
      focused.current = true
      use(Number(target.closest<HTMLElement>('[data-place]')?.dataset['place']))
    },
    onBlur: () => {
      focused.current = false
    },
    onKeyDown: (event: KeyboardEvent) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return
      const place = moves[event.key]?.(stop, items.length - 1)
      if (place === undefined) return
      event.preventDefault()
      use(place)
    },
  }
}

const moves: Readonly<Record<string, (from: number, last: number) => number>> = {
  ArrowDown: (from, last) => Math.min(from + 1, last),
  ArrowUp: (from) => Math.max(from - 1, 0),
  PageDown: (from, last) => Math.min(from + pageSize, last),
  PageUp: (from) => Math.max(from - pageSize, 0),
  Home: () => 0,
  End: (_, last) => last,
}
