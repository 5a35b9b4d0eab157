import type { UnreadableFile } from '@nirs-workspace/types'
import { Link } from '@tanstack/react-router'
import { paths } from '../../paths.ts'
import { useText } from '../../text/text.tsx'
import { datasetLabel } from '../../text/value-label.ts'
import { Badge } from '../../ui/badge.tsx'
import { buttonClass } from '../../ui/button.tsx'
import { Notice } from '../../ui/notice.tsx'

const listed = 5

/** Which array files are damaged or not there, whose values are missing for it, and what to do; nothing when all can be read. */
export const UnreadableFiles = ({ files }: { files: readonly UnreadableFile[] }) => {
  const { unreadable } = useText()
  if (files.length === 0) return null
  const shown = files.slice(0, listed)
  return (
    <Notice tone="warning" actions={<CheckLink />}>
      <p className="font-semibold">{unreadable.title(files.length, predictionsOf(files))}</p>
      <ul aria-label={unreadable.list} className="my-1 grid grid-cols-1 gap-1">
        {shown.map((file) => (
          <Row key={file.path} file={file} />
        ))}
      </ul>
      {files.length === shown.length ? null : <p>{unreadable.more(files.length - shown.length)}</p>}
      <p>{unreadable.restore(files.length)}</p>
    </Notice>
  )
}

export const predictionsOf = (files: readonly UnreadableFile[]): number => files.reduce((total, file) => total + file.predictions, 0)

const Row = ({ file }: { file: UnreadableFile }) => {
  const text = useText()
  const datasets = file.datasets.map((name) => datasetLabel(name, text)).join(', ')
  const concerned = [datasets, file.predictions === 0 ? '' : text.common.predictions(file.predictions)]
  return (
    <li className="flex flex-wrap items-center gap-x-2 gap-y-0.5">
      <code className="font-mono text-xs break-all" title={file.detail}>
        {file.path}
      </code>
      <Badge tone="danger">{text.unreadable.reasons[file.reason]}</Badge>
      <span className="text-muted">{concerned.filter((part) => part !== '').join(' · ')}</span>
    </li>
  )
}

/** To the check that reads every file and says what is wrong with it. */
export const CheckLink = () => {
  const { unreadable } = useText()
  return (
    <Link to={paths.storage} hash="check" className={buttonClass('plain')}>
      {unreadable.check}
    </Link>
  )
}
