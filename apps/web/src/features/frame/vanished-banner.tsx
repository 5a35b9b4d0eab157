import type { Workspace } from '@nirs-workspace/types'
import { Link } from '@tanstack/react-router'
import { useConnection } from '../../api/connection.ts'
import { paths } from '../../paths.ts'
import { useText } from '../../text/text.tsx'
import { Button, buttonClass } from '../../ui/button.tsx'
import { Notice } from '../../ui/notice.tsx'

/** Says that the folder or file of the workspace is gone, what that means for the data, and how it comes back. */
export const VanishedBanner = ({ workspace, onLook }: { workspace: Workspace; onLook: () => void }) => {
  const { frame } = useText()
  // Without a server nobody knows; that has a notice of its own.
  const isOffline = useConnection() === 'offline'
  if (workspace.exists || isOffline) return null
  const actions = (
    <>
      <Link to={paths.workspaces} className={buttonClass('plain')}>
        {frame.openElsewhere}
      </Link>
      <Button onClick={onLook}>{frame.lookAgain}</Button>
    </>
  )
  return (
    <div role="alert" className="shrink-0 border-b border-line">
      <Notice flat tone="danger" actions={actions}>
        <strong className="font-semibold">{frame.vanishedTitle}</strong> {frame.vanished}{' '}
        <code className="inline-block max-w-full rounded bg-surface px-1.5 font-mono text-xs break-all">{workspace.path}</code>
        {'. '}
        {frame.returns}
      </Notice>
    </div>
  )
}
