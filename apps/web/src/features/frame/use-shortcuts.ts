import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { paths } from '../../paths.ts'
import { lastColumns } from '../../stores/last-columns.ts'

export type Panel = 'help' | 'jobs'

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

/** Keys that work on every page: ? for help, j for jobs, / for search, g then a letter to go somewhere. Never while somebody types. */
export const useShortcuts = (): Shortcuts => {
  const navigate = useNavigate()
  const [open, setOpen] = useState<Panel>()
  const afterG = useRef(false)
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

const panels: Record<string, Panel> = { '?': 'help', j: 'jobs' }

const focusSearch = (): boolean => {
  const search = document.querySelector<HTMLInputElement>('main input[type=search]')
  search?.focus()
  return search !== null
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable], [role=dialog], [role=menu]') !== null
