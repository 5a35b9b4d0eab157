import { CircleHelp, Languages, ListTodo, Monitor, Moon, Sun } from 'lucide-react'
import { themes, useTheme } from '../../stores/theme.ts'
import { locales, useLanguage, useText } from '../../text/text.tsx'
import type { PaletteEntry } from './palette-entry.ts'

const themeIcons = { system: Monitor, light: Sun, dark: Moon } as const

/** What concerns the app and no workspace. */
export const useAppEntries = (openPanel: (panel: 'jobs' | 'help') => void): readonly PaletteEntry[] => {
  const { frame, jobs, palette } = useText()
  const [theme, setTheme] = useTheme()
  const [language, setLanguage] = useLanguage()
  return [
    { id: 'jobs', label: jobs.title, icon: ListTodo, keys: 'j', run: () => openPanel('jobs') },
    { id: 'help', label: frame.help, icon: CircleHelp, keys: '?', run: () => openPanel('help') },
    ...themes
      .filter((each) => each !== theme)
      .map((each) => ({
        id: `theme ${each}`,
        label: palette.choice(frame.theme, frame.themes[each]),
        icon: themeIcons[each],
        run: () => setTheme(each),
      })),
    ...locales
      .filter((each) => each !== language)
      .map((each) => ({
        id: `language ${each}`,
        label: palette.choice(frame.language, frame.languages[each]),
        // Whoever looks for another language may not read this one.
        more: 'language langue',
        icon: Languages,
        run: () => setLanguage(each),
      })),
  ]
}
