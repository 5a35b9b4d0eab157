import { useNavigate } from '@tanstack/react-router'
import { type Dispatch, type SetStateAction, useEffect, useRef, useState } from 'react'
import { isPaletteKey } from '../../lib/command-key.ts'
import { paths } from '../../paths.ts'
import { lastColumns } from '../../stores/last-columns.ts'

export type Panel = 'help' | 'jobs' | 'palette' | 'path'

/** Which panel over the page is open. */
export interface Shortcuts {
  readonly open: Panel | undefined
  readonly setOpen: (panel: Panel | undefined) => void
}

const places: Record<string, (typeof paths)[keyof typeof paths]> = {
  o: paths.overview,
  p: paths.predictions,
  r: paths.runs,
  s: paths.storage,
}

/**
 * Keys that work on every page: ? for help, j for jobs, / for search, g then a letter to go somewhere, never while somebody types; and
 * Ctrl+K for the palette, also then.
 */
export const useShortcuts = (): Shortcuts => {
  const navigate = useNavigate()
  const [open, setOpen] = useState<Panel>()
  const afterG = useRef(false)
  usePaletteKey(setOpen)
  useEffect(() => {
    const goTo = (place: (typeof paths)[keyof typeof paths]): void =>
      void navigate(place === paths.predictions ? { to: place, search: lastColumns() } : { to: place })
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      const place = afterG.current ? places[event.key] : undefined
      afterG.current = event.key === 'g'
      const panel = panels[event.key]
      if (place !== undefined) goTo(place)
      else if (panel !== undefined) setOpen(panel)
      else if (event.key === '/' && focusSearch()) event.preventDefault()
    }
    document.addEventListener('keydown', onKeyDown)
    return () => document.removeEventListener('keydown', onKeyDown)
  }, [navigate])
  return { open, setOpen }
}

const usePaletteKey = (setOpen: Dispatch<SetStateAction<Panel | undefined>>): void =>
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (!isPaletteKey(event)) return
      // Also where it opens nothing: the browser would take the key and leave the page for its own search.
      event.preventDefault()
      if (!event.repeat) setOpen((before) => afterPaletteKey(before))
    }
    document.addEventListener('keydown', onKeyDown)
    return () => document.removeEventListener('keydown', onKeyDown)
  }, [setOpen])

/** The key closes what it has opened; over a form that is being filled in it does nothing. */
const afterPaletteKey = (before: Panel | undefined): Panel | undefined => {
  if (before === 'palette') return undefined
  const inForm = before === 'path' || (before === undefined && isCovered())
  return inForm ? before : 'palette'
}

/** Whether a dialog is open that keeps everything else from being reached. */
const isCovered = (): boolean => document.querySelector('[data-modal]') !== null

const panels: Record<string, Panel> = { '?': 'help', j: 'jobs' }

const focusSearch = (): boolean => {
  const search = document.querySelector<HTMLInputElement>('main input[type=search]')
  search?.focus()
  return search !== null
}

/** Where a letter means something by itself; boxes and dots to tick take none. */
const takesLetters = 'input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], [role=dialog], [role=menu]'

const isTyping = (target: EventTarget | null): boolean => target instanceof HTMLElement && target.closest(takesLetters) !== null
