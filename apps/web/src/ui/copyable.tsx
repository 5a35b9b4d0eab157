import { Check, Copy } from 'lucide-react'
import { useState } from 'react'
import { copyText } from '../lib/copy-text.ts'
import { showToast } from '../stores/toast.ts'
import { useText } from '../text/text.tsx'

/** A command or path that one click copies. */
export const Copyable = ({ value, label }: { value: string; label: string }) => {
  const text = useText()
  const [copied, setCopied] = useState(false)
  const copy = async (): Promise<void> => {
    if (!(await copyText(value))) return showToast('danger', text.common.notCopied)
    setCopied(true)
    setTimeout(() => setCopied(false), 2000)
  }
  return (
    <div className="flex min-w-0 items-center gap-1 rounded-md border border-line bg-sunken py-1 pr-1 pl-3 text-left">
      <code className="min-w-0 flex-1 overflow-x-auto font-mono text-xs whitespace-pre">{value}</code>
      <button
        type="button"
        onClick={() => void copy()}
        aria-label={copied ? text.common.copied : `${text.common.copy}: ${label}`}
        className="inline-flex size-8 shrink-0 items-center justify-center rounded hover:bg-hover"
      >
        {copied ? <Check size={15} aria-hidden /> : <Copy size={15} aria-hidden />}
      </button>
    </div>
  )
}
