import type { ComponentProps } from 'react'
import { classNames } from '../lib/class-names.ts'

export type ButtonTone = 'primary' | 'plain' | 'quiet' | 'danger'

const tones: Record<ButtonTone, string> = {
  primary: 'border-accent bg-accent text-accent-ink hover:brightness-110',
  plain: 'border-line-strong bg-surface text-ink hover:bg-hover',
  quiet: 'border-transparent bg-transparent text-ink hover:bg-hover',
  danger: 'border-danger bg-surface text-danger hover:bg-danger-soft',
}

export const buttonClass = (tone: ButtonTone = 'plain', extra?: string): string =>
  classNames(
    'inline-flex h-9 shrink-0 items-center justify-center gap-2 rounded-md border px-3 font-medium whitespace-nowrap',
    'transition-colors duration-100 disabled:opacity-55 aria-disabled:opacity-55',
    tones[tone],
    extra,
  )

export const Button = ({ tone = 'plain', className, ...props }: ComponentProps<'button'> & { tone?: ButtonTone }) => (
  <button type="button" {...props} className={buttonClass(tone, className)} />
)

/** A button that shows only an icon; the label is what screen readers and the tooltip say. */
export const IconButton = ({ label, className, ...props }: ComponentProps<'button'> & { label: string }) => (
  <button
    type="button"
    {...props}
    aria-label={label}
    title={label}
    className={classNames(
      'inline-flex size-9 shrink-0 items-center justify-center rounded-md text-muted hover:bg-hover hover:text-ink disabled:opacity-55',
      className,
    )}
  />
)
