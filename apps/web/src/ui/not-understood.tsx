import { useText } from '../text/text.tsx'
import { Button } from './button.tsx'
import { Notice } from './notice.tsx'

interface NotUnderstoodProps {
  readonly ignored: readonly string[] | undefined
  /** As a band across the page, instead of a box in it. */
  readonly flat?: boolean
  readonly onClose: () => void
}

/** What the address asked for and the page left out: without it more rows are shown than somebody meant. */
export const NotUnderstood = ({ ignored, flat = false, onClose }: NotUnderstoodProps) => {
  const { common } = useText()
  if (ignored === undefined) return null
  return (
    <div className={flat ? 'border-b border-line' : 'mb-3'}>
      <Notice flat={flat} tone="warning" actions={<Button onClick={onClose}>{common.close}</Button>}>
        {common.notUnderstood(ignored.join(', '))}
      </Notice>
    </div>
  )
}
