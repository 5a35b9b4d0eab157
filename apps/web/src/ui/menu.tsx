import { Menu as Base } from '@base-ui/react/menu'
import { Check } from 'lucide-react'
import type { ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'

export const menuPopupClass =
  'z-50 max-h-[var(--available-height)] max-w-[calc(100vw-1rem)] min-w-44 overflow-y-auto rounded-lg border border-line bg-raised p-1 text-ink shadow-pop outline-none'
export const menuItemClass =
  'flex min-h-9 items-center gap-2 rounded-md px-2.5 py-1.5 outline-none select-none data-highlighted:bg-hover data-disabled:opacity-55'
export const menuButtonClass =
  'inline-flex h-9 shrink-0 items-center justify-center gap-2 rounded-md px-2.5 text-muted hover:bg-hover hover:text-ink data-popup-open:bg-hover'

interface ChoiceMenuProps<T extends string> {
  readonly label: string
  readonly trigger: ReactNode
  readonly value: T
  readonly options: readonly { value: T; label: string; icon?: ReactNode }[]
  readonly onChange: (value: T) => void
  readonly className?: string
}

/** A button that opens a list of which one entry is chosen. */
export const ChoiceMenu = <T extends string>({ label, trigger, value, options, onChange, className }: ChoiceMenuProps<T>) => (
  <Base.Root>
    <Base.Trigger aria-label={label} title={label} className={classNames(menuButtonClass, className)}>
      {trigger}
    </Base.Trigger>
    <Base.Portal>
      <Base.Positioner sideOffset={4} align="end" className="z-50 outline-none">
        <Base.Popup className={menuPopupClass}>
          <Base.RadioGroup value={value} onValueChange={onChange}>
            {options.map((option) => (
              <Base.RadioItem key={option.value} value={option.value} closeOnClick className={menuItemClass}>
                {option.icon}
                <span className="flex-1">{option.label}</span>
                <Base.RadioItemIndicator>
                  <Check size={15} aria-hidden />
                </Base.RadioItemIndicator>
              </Base.RadioItem>
            ))}
          </Base.RadioGroup>
        </Base.Popup>
      </Base.Positioner>
    </Base.Portal>
  </Base.Root>
)
