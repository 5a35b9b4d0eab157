import { Search } from 'lucide-react'
import { isMac, paletteKey } from '../../lib/command-key.ts'
import { lazyPart } from '../../lib/lazy-part.tsx'
import { useText } from '../../text/text.tsx'
import { DialogPart } from '../../ui/dialog-part.tsx'
import { Keys } from '../../ui/keys.tsx'
import type { PaletteProps } from './palette-dialog.tsx'

const PaletteDialog = lazyPart<PaletteProps>(async () => (await import('./palette-dialog.tsx')).PaletteDialog)

/** The palette, fetched when it is first opened. */
export const Palette = (props: PaletteProps) => {
  const { palette } = useText()
  return (
    <DialogPart title={palette.title} onClose={props.onClose}>
      <PaletteDialog {...props} />
    </DialogPart>
  )
}

export const PaletteButton = ({ onOpen }: { onOpen: () => void }) => {
  const { palette } = useText()
  const preload = (): void => void PaletteDialog.preload()
  return (
    <button
      type="button"
      onClick={onOpen}
      onPointerEnter={preload}
      onFocus={preload}
      title={`${palette.open} (${paletteKey()})`}
      aria-haspopup="dialog"
      aria-keyshortcuts={isMac() ? 'Meta+K' : 'Control+K'}
      className="flex h-9 shrink-0 items-center gap-2 rounded-md border border-line px-2.5 text-muted hover:bg-hover hover:text-ink max-lg:w-9 max-lg:justify-center max-lg:border-transparent max-lg:px-0"
    >
      <Search size={18} aria-hidden className="shrink-0" />
      <span className="pr-4 max-lg:sr-only">{palette.open}</span>
      <span aria-hidden className="max-lg:hidden">
        <Keys keys={paletteKey()} />
      </span>
    </button>
  )
}
