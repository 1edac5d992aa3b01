import type { Language, Money, Text } from '../api/types'

// Intl objects are dear to make and are asked for again and again.
const made = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>()

function once<T extends Intl.NumberFormat | Intl.DateTimeFormat>(name: string, make: () => T): T {
  let found = made.get(name)
  if (!found) made.set(name, (found = make()))
  return found as T
}

/** Money in the reader's language, with as many decimals as the currency has. */
export function money(value: Money, language: Language): string {
  const format = once(`money ${language} ${value.currency}`, () => {
    try {
      return new Intl.NumberFormat(language, {
        style: 'currency',
        currency: value.currency,
        // Both languages sell to readers of either: "CN¥" helps in English, "¥" is enough in Chinese.
        currencyDisplay: 'symbol',
      })
    } catch {
      return new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 })
    }
  })
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2
  return format.format(value.amount / 10 ** digits)
}

/** A share from 0 to 1 as per cent. */
export function percent(share: number, language: Language): string {
  return once(`percent ${language}`, () => new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 2 })).format(share)
}

export type DateStyle = 'day' | 'short' | 'full' | 'time' | 'clock' | 'stamp'

const styles: Record<DateStyle, Intl.DateTimeFormatOptions> = {
  /** Sat 21 Nov 2026 */
  day: { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' },
  /** Sat, 21 Nov, 19:30 */
  short: { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  /** Saturday, 21 November 2026 at 19:30 */
  full: {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  },
  time: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  clock: { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
  /** 21 Nov, 19:30 */
  stamp: { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
}

// British order (21 November) is read without doubt by everyone who reads English.
const dateLocale = (language: Language) => (language === 'en' ? 'en-GB' : language)

function dateFormat(options: Intl.DateTimeFormatOptions, language: Language, zone: string | undefined) {
  return once(`date ${language} ${zone ?? ''} ${JSON.stringify(options)}`, () => {
    try {
      return new Intl.DateTimeFormat(dateLocale(language), { ...options, timeZone: zone })
    } catch {
      return new Intl.DateTimeFormat(dateLocale(language), { ...options, timeZone: 'UTC' })
    }
  })
}

/** A moment in a zone (the venue's), or in the reader's own when none is given. */
export function moment(at: string | number, style: DateStyle, language: Language, zone?: string): string {
  const time = typeof at === 'number' ? at : Date.parse(at)
  if (Number.isNaN(time)) return ''
  return dateFormat(styles[style], language, zone).format(time)
}

/** A zone's name as people say it, such as "China Standard Time" or "中国标准时间". */
export function zoneName(zone: string, at: string, language: Language): string {
  const time = Date.parse(at)
  const parts = dateFormat({ timeZoneName: 'long' }, language, zone).formatToParts(Number.isNaN(time) ? 0 : time)
  return parts.find((p) => p.type === 'timeZoneName')?.value ?? zone
}

/** Day of the month, month and weekday apart, for the date block of a card. */
export function dateBlock(at: string, language: Language, zone: string) {
  const time = Date.parse(at)
  const part = (options: Intl.DateTimeFormatOptions, type: string) =>
    dateFormat(options, language, zone)
      .formatToParts(Number.isNaN(time) ? 0 : time)
      .find((p) => p.type === type)?.value ?? ''
  return {
    day: part({ day: 'numeric' }, 'day'),
    month: language === 'zh-CN' ? `${part({ month: 'numeric' }, 'month')}月` : part({ month: 'short' }, 'month'),
    weekday: part({ weekday: 'short' }, 'weekday'),
  }
}

/** A text in the reader's language, else in English, else in whatever there is. */
export function inLanguage(text: Text | undefined, language: Language): string {
  if (!text) return ''
  return text[language] ?? text.en ?? Object.values(text)[0] ?? ''
}

/** Whole seconds as "14:05" or "1:02:03". */
export function countdown(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const two = (n: number) => String(n).padStart(2, '0')
  const hours = Math.floor(whole / 3600)
  const rest = `${two(Math.floor((whole % 3600) / 60))}:${two(whole % 60)}`
  return hours > 0 ? `${hours}:${rest}` : rest
}
