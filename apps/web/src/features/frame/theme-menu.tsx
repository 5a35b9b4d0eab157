import { Monitor, Moon, Sun } from 'lucide-react'
import { themes, useTheme } from '../../stores/theme.ts'
import { useText } from '../../text/text.tsx'
import { ChoiceMenu } from '../../ui/menu.tsx'

const icons = { system: Monitor, light: Sun, dark: Moon } as const

export const ThemeMenu = () => {
  const text = useText()
  const [theme, setTheme] = useTheme()
  const Icon = icons[theme]
  return (
    <ChoiceMenu
      label={text.frame.theme}
      trigger={<Icon size={18} aria-hidden />}
      value={theme}
      onChange={setTheme}
      options={themes.map((value) => ({ value, label: text.frame.themes[value] }))}
    />
  )
}
