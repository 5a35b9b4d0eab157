import type { PredictionDetail } from '@nirs-workspace/types'
import { FileWarning } from 'lucide-react'
import { useText } from '../../text/text.tsx'
import { Message } from '../../ui/states.tsx'
import { CheckLink } from '../storage/unreadable-files.tsx'

/** In the place of the chart: which file keeps the values from being shown, why, and what to do about it. */
export const UnreadableValues = ({ file }: { file: PredictionDetail['unreadable_file'] }) => {
  const { peek, unreadable } = useText()
  return (
    <Message icon={FileWarning} tone="danger" title={peek.unreadableTitle} action={<CheckLink />}>
      {file === undefined ? null : <p className="break-words text-ink">{unreadable.reason[file.reason](file.path)}</p>}
      <p className="mt-1">{unreadable.restore(1)}</p>
      {file?.reason === 'damaged' ? <p className="mt-2 font-mono text-xs break-words">{file.detail}</p> : null}
    </Message>
  )
}
