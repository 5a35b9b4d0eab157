import type { Workspace } from '@nirs-workspace/types'
import { whyUnreadable } from '../../api/why-unreadable.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { Notice } from '../../ui/notice.tsx'

/** Says that what is on the pages is from before the workspace became unreadable. Without anything from before, the pages say it. */
export const UnreadableBanner = ({ workspace }: { workspace: Workspace }) => {
  const { banner } = useText()
  const format = useFormat()
  const reason = whyUnreadable(workspace)
  const since = workspace.catalog.built_at
  if (reason === undefined || since === null) return null
  return (
    <div role="alert" className="border-b border-line">
      <Notice flat tone="danger">
        <strong className="font-semibold">{banner.unreadableTitle}</strong> {reason} {banner.unreadable(format.dateTime(since))}
      </Notice>
    </div>
  )
}
