import { describe, expect, it } from 'vitest'
import { createI18n } from 'vue-i18n'
import en from '../src/i18n/en'
import zh from '../src/i18n/zh-CN'

type Tree = { [key: string]: string | Tree }

function flat(tree: Tree, path = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') found.set(path + key, value)
    else for (const [k, v] of flat(value, `${path}${key}.`)) found.set(k, v)
  }
  return found
}

const placeholders = (words: string) => [...new Set(words.match(/\{\w+\}/g) ?? [])].sort()

const english = flat(en)
const chinese = flat(zh)

describe('the words', () => {
  it('have the same keys in both languages', () => {
    expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort())
  })

  it('have the same placeholders in both languages', () => {
    for (const [key, words] of english) {
      expect(placeholders(chinese.get(key) ?? ''), key).toEqual(placeholders(words))
    }
  })

  it('have as many plural forms in both languages', () => {
    for (const [key, words] of english) {
      expect(chinese.get(key)?.split('|').length, key).toBe(words.split('|').length)
    }
  })

  it('compile, every one of them', () => {
    const i18n = createI18n({ legacy: false, locale: 'en', messages: { en, 'zh-CN': zh } })
    for (const locale of ['en', 'zh-CN'] as const) {
      i18n.global.locale.value = locale
      for (const key of english.keys()) {
        const said = i18n.global.t(key, { n: 3, id: 'X', name: 'N' }, 3)
        expect(said, key).not.toBe('')
        expect(said, key).not.toContain('|')
      }
    }
  })

  it('leave no Chinese text empty or in English', () => {
    const latin = /^[\x20-\x7e]+$/
    // A mail address and a telephone number need no translation.
    const same = new Set(['checkout.email_hint', 'checkout.phone_hint'])
    for (const [key, words] of chinese) {
      if (!same.has(key)) expect(latin.test(words), `${key}: ${words}`).toBe(false)
    }
  })
})
