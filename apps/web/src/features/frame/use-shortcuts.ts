import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { paths } from '../../paths.ts'

export interface HelpState {
  readonly open: boolean
  readonly setOpen: (open: boolean) => void
}

const places: Record<string, (typeof paths)[keyof typeof paths]> = {
  o: paths.overview,
  p: paths.predictions,
  r: paths.runs,
  s: paths.storage,
}

/** Keys that work on every page: ? for help, / for search, g then a letter to go somewhere. Never while somebody types. */
export const useShortcuts = (): HelpState => {
  const navigate = useNavigate()
  const [open, setOpen] = useState(false)
  const afterG = useRef(false)
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      const place = afterG.current ? places[event.key] : undefined
      afterG.current = event.key === 'g'
      if (place !== undefined) void navigate({ to: place })
      else if (event.key === '?') setOpen(true)
      else if (event.key === '/') {
        const search = document.querySelector<HTMLInputElement>('main input[type=search]')
        if (search !== null) event.preventDefault()
        search?.focus()
      }
    }
    document.addEventListener('keydown', onKeyDown)
    return () => document.removeEventListener('keydown', onKeyDown)
  }, [navigate])
  return { open, setOpen }
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable], [role=dialog], [role=menu]') !== null
