import { createContext, type ReactNode, use, useMemo, useSyncExternalStore } from 'react'
import { type Formatters, type Locale, makeFormatters } from '../lib/format.ts'
import { storedValue } from '../stores/stored-value.ts'
import { en, type Text } from './en.ts'
import { fr } from './fr.ts'

export const locales = ['en', 'fr'] as const satisfies readonly Locale[]

const language = storedValue<Locale>('nirs.language', locales, () => (navigator.language.startsWith('fr') ? 'fr' : 'en'))

interface Words {
  readonly text: Text
  readonly format: Formatters
}

const makeWords = (locale: Locale): Words => {
  const format = makeFormatters(locale)
  return { format, text: locale === 'fr' ? fr(format) : en(format) }
}

const Words = createContext<Words>(makeWords('en'))

export const TextProvider = ({ children }: { children: ReactNode }) => {
  const [locale] = useLanguage()
  const words = useMemo(() => {
    document.documentElement.lang = locale
    return makeWords(locale)
  }, [locale])
  return <Words value={words}>{children}</Words>
}

export const useLanguage = (): readonly [Locale, (next: Locale) => void] => [
  useSyncExternalStore(language.subscribe, language.get),
  language.set,
]

/** The messages of the chosen language. */
export const useText = (): Text => use(Words).text

/** The number and date formats of the chosen language. */
export const useFormat = (): Formatters => use(Words).format
