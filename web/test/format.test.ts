import { describe, expect, it } from 'vitest'
import { cutToBytes, edgeOfDay } from '../src/api/filter'
import { firstLanguage } from '../src/i18n'
import { countdown, dateBlock, inLanguage, moment, money, zoneName } from '../src/i18n/format'

describe('money', () => {
  it.each([
    [38000, 'CNY', 'zh-CN', '¥380.00'],
    [38000, 'CNY', 'en', 'CN¥380.00'],
    [6800, 'JPY', 'en', '¥6,800'],
    [12345, 'KWD', 'en', 'KWD 12.345'],
    [5, 'USD', 'en', '$0.05'],
    [0, 'EUR', 'en', '€0.00'],
  ] as const)('%i minor units of %s in %s', (amount, currency, language, words) => {
    expect(money({ amount, currency }, language).replace(/\u00a0/g, ' ')).toBe(words)
  })

  it('survives a currency nobody knows', () => {
    expect(money({ amount: 1234, currency: 'nope' }, 'en')).toBe('12.34')
  })
})

describe('times', () => {
  const at = '2026-11-20T16:30:00Z'

  it('are those of the venue, not of the reader', () => {
    expect(moment(at, 'time', 'en', 'Asia/Shanghai')).toBe('00:30')
    expect(moment(at, 'time', 'en', 'Europe/London')).toBe('16:30')
    expect(dateBlock(at, 'en', 'Asia/Shanghai')).toEqual({ day: '21', month: 'Nov', weekday: 'Sat' })
    expect(dateBlock(at, 'zh-CN', 'Asia/Shanghai')).toEqual({ day: '21', month: '11月', weekday: '周六' })
  })

  it('name their zone', () => {
    expect(zoneName('Asia/Shanghai', at, 'en')).toBe('China Standard Time')
    expect(zoneName('Asia/Shanghai', at, 'zh-CN')).toBe('中国标准时间')
  })

  it('survive a zone or a date that cannot be read', () => {
    expect(moment(at, 'time', 'en', 'Mars/Olympus')).toBe('16:30')
    expect(moment('soon', 'time', 'en')).toBe('')
  })

  it('count down', () => {
    expect([0, 9, 61, 899.9, 3661].map(countdown)).toEqual(['00:00', '00:09', '01:01', '14:59', '1:01:01'])
    expect(countdown(-5)).toBe('00:00')
  })
})

describe('languages', () => {
  it('begin with the one chosen, else the browser’s, else English', () => {
    expect(firstLanguage('zh-CN', ['en-US'])).toBe('zh-CN')
    expect(firstLanguage(null, ['fr-FR', 'zh-TW', 'en'])).toBe('zh-CN')
    expect(firstLanguage('tlh', ['fr', 'en-GB'])).toBe('en')
    expect(firstLanguage(null, ['fr'])).toBe('en')
  })

  it('fall back where a text lacks one', () => {
    expect(inLanguage({ en: 'Play' }, 'zh-CN')).toBe('Play')
    expect(inLanguage({ 'zh-CN': '戏' }, 'en')).toBe('戏')
    expect(inLanguage(undefined, 'en')).toBe('')
  })
})

describe('filters', () => {
  it('mean days where the reader is', () => {
    expect(edgeOfDay('2026-11-20', false)).toBe(new Date(2026, 10, 20).toISOString())
    expect(edgeOfDay('2026-12-31', true)).toBe(new Date(2027, 0, 1).toISOString())
    expect(edgeOfDay('', false)).toBeUndefined()
    expect(edgeOfDay('tomorrow', true)).toBeUndefined()
  })

  it('keep within the server’s bytes without splitting a character', () => {
    expect(cutToBytes('演出票', 7)).toBe('演出')
    expect(cutToBytes('a🎭b', 4)).toBe('a')
    expect(cutToBytes('plain', 100)).toBe('plain')
  })
})
