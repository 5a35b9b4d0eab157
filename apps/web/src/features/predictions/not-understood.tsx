import { useText } from '../../text/text.tsx'
import { Button } from '../../ui/button.tsx'
import { Notice } from '../../ui/notice.tsx'
import type { Change } from './change.ts'
import type { PredictionSearch } from './search.ts'

/** What the address asked for and the page left out: without it more rows are shown than somebody meant. */
export const NotUnderstood = ({ search, change }: { search: PredictionSearch; change: Change }) => {
  const { common, predictions } = useText()
  if (search.ignored === undefined) return null
  return (
    <div className="border-b border-line">
      <Notice flat tone="warning" actions={<Button onClick={() => change(({ ignored: _, ...rest }) => rest, true)}>{common.close}</Button>}>
        {predictions.notUnderstood(search.ignored.join(', '))}
      </Notice>
    </div>
  )
}
