import { useSyncExternalStore } from 'react'
import { storedValue } from './stored-value.ts'

export const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const theme = storedValue<Theme>('nirs.theme', themes, () => 'system')
const systemDark = typeof matchMedia === 'function' ? matchMedia('(prefers-color-scheme: dark)') : undefined

const apply = (): void => {
  const chosen = theme.get()
  const dark = chosen === 'dark' || (chosen === 'system' && systemDark?.matches === true)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
}

/** Follows the choice, and the operating system while the choice is "system". */
export const watchTheme = (): void => {
  apply()
  theme.subscribe(apply)
  systemDark?.addEventListener('change', apply)
}

export const useTheme = (): readonly [Theme, (next: Theme) => void] => [useSyncExternalStore(theme.subscribe, theme.get), theme.set]
