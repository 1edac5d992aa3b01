import { afterEach, describe, expect, it, vi } from 'vitest'
import en from '../src/i18n/en'
import zh from '../src/i18n/zh-CN'
import { leaveFor } from '../src/orders/leaving'
import { arrange, methodOf, showsCode, wordsOf } from '../src/orders/methods'

const all = [
  'alipay_page', 'alipay_qr', 'sandbox_card', 'sandbox_qr', 'sandbox_wallet', 'stripe_checkout', 'unionpay_page',
  'wechatpay_h5', 'wechatpay_native',
]

describe('payment methods', () => {
  it('begin with codes at a desk', () => {
    expect(arrange(all, false)).toEqual([
      'alipay_qr', 'wechatpay_native', 'alipay_page', 'unionpay_page', 'stripe_checkout', 'sandbox_qr', 'sandbox_wallet', 'sandbox_card',
    ])
  })

  it('begin with apps on a phone, where nobody can scan the own screen', () => {
    expect(arrange(all, true)).toEqual([
      'alipay_page', 'wechatpay_h5', 'unionpay_page', 'stripe_checkout', 'alipay_qr', 'wechatpay_native',
      'sandbox_wallet', 'sandbox_card', 'sandbox_qr',
    ])
  })

  it('are those that are offered, whatever they are', () => {
    expect(arrange(['wechatpay_h5'], false)).toEqual(['wechatpay_h5'])
    expect(arrange(['sandbox_card', 'moon_cash', 'alipay_qr', 'shell_coin'], false)).toEqual(['alipay_qr', 'moon_cash', 'shell_coin', 'sandbox_card'])
    expect(arrange([], true)).toEqual([])
    expect(methodOf('moon_cash')).toEqual({ brand: 'other', way: 'other' })
    expect(wordsOf('moon_cash')).toBe('other')
    expect(wordsOf('toString')).toBe('other')
  })

  it('have a name, a hint, a destination and a duration in both languages', () => {
    for (const { pay } of [en, zh]) {
      for (const name of [...all, 'moon_cash']) {
        expect(pay.methods, name).toHaveProperty(wordsOf(name))
        expect(pay.hints, name).toHaveProperty(wordsOf(name))
        expect(pay.brands, name).toHaveProperty(methodOf(name).brand)
        expect(pay.takes, name).toHaveProperty(methodOf(name).brand)
      }
    }
  })

  it('show a code where it is the way, or the only one', () => {
    expect(showsCode('alipay_qr', 'code', 'https://pay.example')).toBe(true)
    expect(showsCode('alipay_page', 'code', 'https://pay.example')).toBe(false)
    expect(showsCode('moon_cash', 'code')).toBe(true)
    expect(showsCode('alipay_qr', undefined, 'https://pay.example')).toBe(false)
  })
})

describe('leaving for a gateway', () => {
  afterEach(() => vi.restoreAllMocks())

  it('opens a page', () => {
    const assign = vi.spyOn(window.location, 'assign').mockImplementation(() => undefined)
    expect(leaveFor({ payUrl: 'https://pay.example/x' })).toBe(true)
    expect(assign).toHaveBeenCalledWith('https://pay.example/x')
  })

  it('posts a form, whatever its fields are called', () => {
    let sent: Record<string, unknown> = {}
    vi.spyOn(HTMLFormElement.prototype, 'submit').mockImplementation(function (this: HTMLFormElement) {
      sent = {
        at: this.getAttribute('action'), by: this.getAttribute('method'), into: this.getAttribute('target'), connected: this.isConnected,
        fields: [...this.querySelectorAll('input')].map((i) => [i.name, i.value]),
      }
    })
    expect(leaveFor({ payUrl: 'https://bank.example/front.do', payForm: { submit: '1', action: 'a&b="c"', orderId: 'X' } })).toBe(true)
    expect(sent).toEqual({
      at: 'https://bank.example/front.do', by: 'post', into: '_top', connected: true,
      fields: [['submit', '1'], ['action', 'a&b="c"'], ['orderId', 'X']],
    })
    expect(document.querySelector('form')).toBeNull()
  })

  it('runs no script', () => {
    const assign = vi.spyOn(window.location, 'assign').mockImplementation(() => undefined)
    const submit = vi.spyOn(HTMLFormElement.prototype, 'submit').mockImplementation(() => undefined)
    expect(leaveFor({ payUrl: 'javascript:alert(1)' })).toBe(false)
    expect(leaveFor({ payUrl: 'javascript:alert(1)', payForm: { a: 'b' } })).toBe(false)
    expect(leaveFor({})).toBe(false)
    expect(assign).not.toHaveBeenCalled()
    expect(submit).not.toHaveBeenCalled()
  })
})
