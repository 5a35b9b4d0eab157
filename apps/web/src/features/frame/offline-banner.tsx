import type { Workspace } from '@nirs-workspace/types'
import { useConnection } from '../../api/connection.ts'
import { reconnectNow } from '../../api/events.ts'
import { quotedPath } from '../../lib/command-line.ts'
import { useText } from '../../text/text.tsx'
import { Button } from '../../ui/button.tsx'
import { CommandText, Notice } from '../../ui/notice.tsx'

/** Says that the server is gone, what that means for the data, and how it comes back; leaves by itself when it does. */
export const OfflineBanner = ({ workspace }: { workspace: Workspace | undefined }) => {
  const { frame } = useText()
  if (useConnection() !== 'offline') return null
  return (
    <div role="alert" className="shrink-0 border-b border-line">
      <Notice flat tone="danger" actions={<Button onClick={reconnectNow}>{frame.reconnect}</Button>}>
        <strong className="font-semibold">{frame.stoppedTitle}</strong> {frame.stopped} <CommandText>{startCommand(workspace)}</CommandText>{' '}
        {frame.reconnects}
      </Notice>
    </div>
  )
}

const startCommand = (workspace: Workspace | undefined): string =>
  workspace === undefined ? 'npm start' : `npm start -- ${quotedPath(workspace.path)}`
