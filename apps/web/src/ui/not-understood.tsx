import { useText } from '../text/text.tsx'
import { Button } from './button.tsx'
import { Notice } from './notice.tsx'

interface NotUnderstoodProps {
  readonly ignored: readonly string[] | undefined
  readonly onClose: () => void
}

/** What the address asked for and the page left out: without it more rows are shown than somebody meant. */
export const NotUnderstood = ({ ignored, onClose }: NotUnderstoodProps) => {
  const { common } = useText()
  if (ignored === undefined) return null
  return (
    <div className="border-b border-line">
      <Notice flat tone="warning" actions={<Button onClick={onClose}>{common.close}</Button>}>
        {common.notUnderstood(ignored.join(', '))}
      </Notice>
    </div>
  )
}
