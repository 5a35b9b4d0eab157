import { type FormEvent, useId, useState } from 'react'
import { useOpenWorkspace } from '../api/use-open-workspace.ts'
import { useErrorText } from '../text/error-text.ts'
import { useText } from '../text/text.tsx'
import { Button } from './button.tsx'

/** A field for the folder of a workspace; a wrong path is explained below it. */
export const OpenByPath = ({ onOpened }: { onOpened?: () => void }) => {
  const { switcher } = useText()
  const errorText = useErrorText()
  const [path, setPath] = useState('')
  const open = useOpenWorkspace()
  const id = useId()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (path.trim() !== '') open.mutate(path.trim(), { onSuccess: () => onOpened?.() })
  }
  return (
    <form onSubmit={submit} className="w-full text-left">
      <label htmlFor={id} className="mb-1 block font-medium text-ink">
        {switcher.pathLabel}
      </label>
      <div className="flex gap-2">
        <input
          id={id}
          value={path}
          onChange={(event) => setPath(event.target.value)}
          spellCheck={false}
          autoComplete="off"
          placeholder="/data/wheat/workspace"
          aria-describedby={`${id}-hint`}
          aria-invalid={open.isError}
          className="field min-w-0 flex-1 font-mono"
        />
        <Button type="submit" tone="primary" disabled={open.isPending}>
          {open.isPending ? switcher.opening : switcher.openAction}
        </Button>
      </div>
      <p id={`${id}-hint`} className="mt-1.5 text-xs text-muted">
        {switcher.pathHint}
      </p>
      {open.isError ? (
        <p role="alert" className="mt-2 rounded-md bg-danger-soft px-3 py-2 text-danger">
          {errorText(open.error)}
        </p>
      ) : null}
    </form>
  )
}
