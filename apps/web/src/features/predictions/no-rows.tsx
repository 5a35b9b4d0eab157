import { Inbox, SearchX } from 'lucide-react'
import { useText } from '../../text/text.tsx'
import { Button } from '../../ui/button.tsx'
import { Message } from '../../ui/states.tsx'
import type { Change } from './change.ts'
import { hasFilters, type PredictionSearch, withoutFilters } from './search.ts'

/** An empty workspace and filters without a match are two different things. */
export const NoRows = ({ search, change }: { search: PredictionSearch; change: Change }) => {
  const { predictions } = useText()
  if (!hasFilters(search)) {
    return (
      <Message icon={Inbox} title={predictions.emptyTitle}>
        {predictions.emptyBody}
      </Message>
    )
  }
  return (
    <Message
      icon={SearchX}
      title={predictions.filteredTitle}
      action={
        <Button tone="primary" onClick={() => change(withoutFilters)}>
          {predictions.clearAll}
        </Button>
      }
    >
      {predictions.filteredBody}
    </Message>
  )
}
