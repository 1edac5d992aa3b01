/** Whose a payment method is; each has its colour, and its words under `pay.brands` and `pay.takes`. */
export type Brand = 'alipay' | 'wechatpay' | 'unionpay' | 'stripe' | 'sandbox' | 'other'

/** How a payment method is used, as its picture shows it. */
export type Way = 'code' | 'app' | 'chat' | 'card' | 'wallet' | 'other'

export interface Method {
  brand: Brand
  way: Way
}

const known = new Map<string, Method>(Object.entries({
  alipay_qr: { brand: 'alipay', way: 'code' },
  alipay_page: { brand: 'alipay', way: 'app' },
  wechatpay_native: { brand: 'wechatpay', way: 'code' },
  wechatpay_h5: { brand: 'wechatpay', way: 'chat' },
  unionpay_page: { brand: 'unionpay', way: 'card' },
  stripe_checkout: { brand: 'stripe', way: 'card' },
  sandbox_wallet: { brand: 'sandbox', way: 'wallet' },
  sandbox_card: { brand: 'sandbox', way: 'card' },
  sandbox_qr: { brand: 'sandbox', way: 'code' },
}))

/** What is known of a method by its name; a gateway added since then is a neutral one. */
export const methodOf = (name: string): Method => known.get(name) ?? { brand: 'other', way: 'other' }

/** The name a method's words go by, under `pay.methods` and `pay.hints`. */
export const wordsOf = (name: string): string => (known.has(name) ? name : 'other')

// A code is scanned by another device: the quickest way at a desk, the slowest on the phone itself.
const others = '*'
const atADesk = [
  'alipay_qr', 'wechatpay_native', 'alipay_page', 'unionpay_page', 'stripe_checkout', 'wechatpay_h5', others,
  'sandbox_qr', 'sandbox_wallet', 'sandbox_card',
]
const onAPhone = [
  'alipay_page', 'wechatpay_h5', 'unionpay_page', 'stripe_checkout', others, 'alipay_qr', 'wechatpay_native',
  'sandbox_wallet', 'sandbox_card', 'sandbox_qr',
]

/** The offered methods in the order in which they make sense on this device. */
export function arrange(offered: string[], phone: boolean): string[] {
  const order = phone ? onAPhone : atADesk
  const rank = (name: string) => order.indexOf(known.has(name) ? name : others)
  // WeChat's H5 page opens the app of the phone it is on; at a desk there is the code.
  const sensible = phone || !offered.includes('wechatpay_native') ? offered : offered.filter((m) => m !== 'wechatpay_h5')
  return sensible.map((name, i) => ({ name, i })).sort((a, b) => rank(a.name) - rank(b.name) || a.i - b.i).map((m) => m.name)
}

/** Whether the code is to be shown rather than the page opened, where a gateway offers both. */
export const showsCode = (method: string, qr?: string, payUrl?: string): boolean =>
  !!qr && (methodOf(method).way === 'code' || !payUrl)
