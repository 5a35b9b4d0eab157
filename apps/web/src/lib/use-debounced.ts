import { useEffect, useRef, useState } from 'react'

/** A text field whose value is handed on once typing pauses; a change from outside (back button, cleared filter) wins. */
export const useDebouncedText = (
  value: string,
  onChange: (value: string) => void,
  delay = 250,
): readonly [string, (next: string) => void] => {
  const [draft, setDraft] = useState(value)
  const [known, setKnown] = useState(value)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  if (known !== value) {
    setKnown(value)
    if (draft.trim() !== value) setDraft(value)
  }
  useEffect(() => () => clearTimeout(timer.current), [])
  const set = (next: string): void => {
    setDraft(next)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => onChange(next.trim()), delay)
  }
  return [draft, set]
}
