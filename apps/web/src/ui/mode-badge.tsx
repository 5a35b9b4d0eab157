import type { StorageMode } from '@nirs-workspace/types'
import { useText } from '../text/text.tsx'
import { Badge, type Tone } from './badge.tsx'

const tones: Record<StorageMode, Tone> = {
  migrated: 'success',
  legacy: 'warning',
  mid_migration: 'warning',
  new: 'info',
  sqlite: 'accent',
  portable: 'accent',
  lost_arrays: 'danger',
}

export const ModeBadge = ({ mode }: { mode: StorageMode }) => {
  const text = useText()
  return (
    <Badge tone={tones[mode]} title={text.modeHints[mode]}>
      {text.modes[mode]}
    </Badge>
  )
}
