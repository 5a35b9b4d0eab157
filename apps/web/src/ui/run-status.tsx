import { useText } from '../text/text.tsx'
import { Badge, type Tone } from './badge.tsx'

const tones: Record<string, Tone> = { completed: 'success', failed: 'danger', running: 'info' }

export const RunStatus = ({ status, error }: { status: string; error: string | null }) => {
  const { runs } = useText()
  const name = Object.entries(runs.statuses).find(([key]) => key === status)?.[1] ?? status
  return (
    <Badge tone={tones[status] ?? 'neutral'} {...(error === null ? {} : { title: error })}>
      {name}
    </Badge>
  )
}
