import { useEffect, useRef, useState } from 'react'

interface DebouncedText {
  readonly value: string
  readonly set: (next: string) => void
  /** For the field's `onBlur`: what is typed afterwards is a step of its own. */
  readonly leave: () => void
}

/**
 * A text field whose value is handed on once typing pauses, or when the field is left; a change from outside (back button, cleared filter)
 * wins. `goesOn` says that the value handed on before came from the same stay in the field: together they are one step for the back button.
 */
export const useDebouncedText = (value: string, onChange: (value: string, goesOn: boolean) => void, delay = 250): DebouncedText => {
  const [draft, setDraft] = useState(value)
  const [known, setKnown] = useState(value)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const handedOn = useRef<string>(undefined)
  const pending = useRef<() => void>(undefined)
  if (known !== value) {
    setKnown(value)
    if (draft.trim() !== value) setDraft(value)
  }
  useEffect(() => () => clearTimeout(timer.current), [])
  const flush = (): void => {
    clearTimeout(timer.current)
    pending.current?.()
    pending.current = undefined
  }
  const set = (next: string): void => {
    setDraft(next)
    clearTimeout(timer.current)
    pending.current = () => {
      if (next.trim() === value) return
      onChange(next.trim(), handedOn.current === value)
      handedOn.current = next.trim()
    }
    timer.current = setTimeout(flush, delay)
  }
  const leave = (): void => {
    flush()
    handedOn.current = undefined
  }
  return { value: draft, set, leave }
}
