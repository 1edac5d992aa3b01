import { shallowRef, watch } from 'vue'
import { createI18n, useI18n } from 'vue-i18n'
import type { Language, Money, Text } from '../api/types'
import { dateBlock, inLanguage, moment, money, percent, zoneName, type DateStyle } from './format'

export const languages: { tag: Language; name: string }[] = [
  { tag: 'en', name: 'English' },
  { tag: 'zh-CN', name: '简体中文' },
]

const storedAs = 'boxoffice.language'

/** The language to begin with: the one chosen before, else the browser's. */
export function firstLanguage(stored: string | null, browser: readonly string[]): Language {
  if (stored === 'en' || stored === 'zh-CN') return stored
  for (const tag of browser) {
    if (/^zh\b/i.test(tag)) return 'zh-CN'
    if (/^en\b/i.test(tag)) return 'en'
  }
  return 'en'
}

function remembered(): string | null {
  try {
    return localStorage.getItem(storedAs)
  } catch {
    return null
  }
}

export const i18n = createI18n({
  legacy: false,
  locale: firstLanguage(remembered(), navigator.languages ?? [navigator.language]) as string,
  fallbackLocale: false as const,
  missingWarn: false,
  fallbackWarn: false,
})

/** Element Plus's own words, in the same language. */
export const elementLocale = shallowRef<{ name: string; el: object }>()

// Only the language in use is fetched; the other waits for the switch.
const packs = {
  en: () => Promise.all([import('./en'), import('element-plus/es/locale/lang/en.mjs')]),
  'zh-CN': () => Promise.all([import('./zh-CN'), import('element-plus/es/locale/lang/zh-cn.mjs')]),
}

/** Fetches a language's words and shows them. */
export async function speak(language: Language): Promise<void> {
  const [messages, element] = await packs[language]()
  i18n.global.setLocaleMessage(language, messages.default as never)
  elementLocale.value = element.default as never
  i18n.global.locale.value = language
  document.documentElement.lang = language
}

/** Switches for good: this device remembers, and other tabs follow. */
export async function chooseLanguage(language: Language): Promise<void> {
  try {
    localStorage.setItem(storedAs, language)
  } catch {
    // Then it lasts as long as the page.
  }
  await speak(language)
}

/** Follows a switch made in another tab. */
export function followLanguage(): void {
  window.addEventListener('storage', (event) => {
    if (event.key === storedAs && (event.newValue === 'en' || event.newValue === 'zh-CN')) void speak(event.newValue)
  })
}

/** Words, money and times in the reader's language. */
export function useLanguage() {
  const { t, te, locale } = useI18n({ useScope: 'global' })
  const language = () => locale.value as Language
  return {
    t,
    te,
    language,
    text: (value: Text | undefined) => inLanguage(value, language()),
    money: (value: Money) => money(value, language()),
    percent: (share: number) => percent(share, language()),
    moment: (at: string | number, style: DateStyle, zone?: string) => moment(at, style, language(), zone),
    zoneName: (zone: string, at: string) => zoneName(zone, at, language()),
    dateBlock: (at: string, zone: string) => dateBlock(at, language(), zone),
  }
}

/** Sets the document's title, again whenever the language or the words change. */
export function useTitle(title: () => string): void {
  watch(
    title,
    (words) => {
      document.title = words ? `${words} · Boxoffice` : 'Boxoffice'
    },
    { immediate: true },
  )
}
