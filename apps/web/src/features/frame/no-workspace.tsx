import { FolderOpen } from 'lucide-react'
import { useText } from '../../text/text.tsx'
import { OpenByPath } from '../../ui/open-by-path.tsx'
import { Message } from '../../ui/states.tsx'

export const NoWorkspace = ({ gone }: { gone: boolean }) => {
  const { noWorkspace } = useText()
  return (
    <Message whole icon={FolderOpen} title={gone ? noWorkspace.gone : noWorkspace.title}>
      <p className="mb-6">{noWorkspace.body}</p>
      <OpenByPath />
    </Message>
  )
}
