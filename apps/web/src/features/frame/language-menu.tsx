import { locales, useLanguage, useText } from '../../text/text.tsx'
import { ChoiceMenu } from '../../ui/menu.tsx'

export const LanguageMenu = () => {
  const text = useText()
  const [language, setLanguage] = useLanguage()
  return (
    <ChoiceMenu
      label={`${language.toUpperCase()} ${text.frame.language}`}
      trigger={<span className="text-xs font-semibold uppercase">{language}</span>}
      value={language}
      onChange={setLanguage}
      options={locales.map((value) => ({ value, label: text.frame.languages[value] }))}
    />
  )
}
