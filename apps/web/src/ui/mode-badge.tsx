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

/** Nothing while the mode is not known yet. */
export const ModeBadge = ({ mode }: { mode: StorageMode | null }) => {
  const text = useText()
  if (mode === null) return null
  return (
    <Badge tone={tones[mode]} title={text.modeHints[mode]}>
      {text.modes[mode]}
    </Badge>
  )
}
