import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createApp, h, nextTick, reactive, type App } from 'vue'
import { api, Problem } from '../src/api/client'
import type { Membership, Programme } from '../src/api/membership'
import type { Quote } from '../src/api/types'
import MemberField from '../src/components/MemberField.vue'
import MembershipCard from '../src/components/MembershipCard.vue'
import { i18n } from '../src/i18n'
import en from '../src/i18n/en'
import { asked, type TypedCodes } from '../src/orders/codes'
import { forgetMemberCode, keepMemberCode, memberCode, pointsMissing, refusesMember } from '../src/orders/membership'

const text = (s: string) => ({ en: s, 'zh-CN': s })
const programme: Programme = { id: 'club', name: text('Club'), spend_per_point: { amount: 100, currency: 'CNY' }, levels: [] }
const no = new Problem(422, 'voucher_invalid', '', '/member_code', undefined)
const quote = { lines: [], total: { amount: 1, currency: 'CNY' } } as unknown as Quote
const settled = async () => {
  for (let i = 0; i < 5; i++) await nextTick()
}

const apps: App[] = []
function mount(component: object, props: object): HTMLElement {
  const at = document.createElement('div')
  document.body.append(at)
  const app = createApp({ render: () => h(component, props) })
  apps.push(app)
  app.use(i18n).mount(at)
  return at
}

/** A checkout with the field of a membership. */
function checkout(codes: Partial<TypedCodes> = {}) {
  const props = reactive({
    sessionId: 's', lines: [], programme, failures: [] as unknown[], modelValue: { vouchers: [], access: '', ...codes } as TypedCodes,
    'onUpdate:modelValue': (to: TypedCodes) => (props.modelValue = to),
  })
  const page = mount(MemberField, props)
  const find = (testid: string) => page.querySelector<HTMLInputElement>(`[data-testid="${testid}"]`)
  const type = async (code: string) => {
    const input = find('member-code')
    if (!input) throw new Error('no field')
    input.value = code
    input.dispatchEvent(new Event('input'))
    await nextTick()
    find('member-code-use')?.click()
    await settled()
  }
  return { props, find, type }
}

beforeEach(() => {
  forgetMemberCode('club')
  i18n.global.setLocaleMessage('en', en)
  i18n.global.locale.value = 'en'
})
afterEach(() => {
  apps.splice(0).forEach((app) => app.unmount())
  vi.restoreAllMocks()
})

describe('a member code', () => {
  it('is sent only where there is one', () => {
    expect(asked({ vouchers: [], access: '', member: 'M', join: true })).toEqual({ member_code: 'M' })
    expect(asked({ vouchers: [], access: '', join: true })).toEqual({})
  })

  it('is told from a voucher that is no good', () => {
    expect(refusesMember(no)).toBe(true)
    expect(refusesMember(new Problem(422, 'voucher_invalid', '', '/vouchers/0', undefined))).toBe(false)
    expect(refusesMember(new Problem(422, 'invalid', '', '/member_code', undefined))).toBe(false)
  })

  it('is kept once it is good, and left out at will', async () => {
    const ask = vi.spyOn(api, 'quote').mockResolvedValue(quote)
    const { props, find, type } = checkout({ vouchers: ['TEN'], join: true })
    await type(' CODE ')
    expect(ask).toHaveBeenCalledWith('s', [], { vouchers: ['TEN'], member_code: 'CODE' })
    expect(props.modelValue).toMatchObject({ member: 'CODE', join: false })
    expect(memberCode('club')).toBe('CODE')
    find('member-remove')?.click()
    await settled()
    expect(props.modelValue.member).toBeUndefined()
    expect(memberCode('club')).toBe('')
  })

  it('is not kept if it is no good, and the buyer is told', async () => {
    vi.spyOn(api, 'quote').mockRejectedValue(no)
    const { props, find, type } = checkout()
    await type('GUESS')
    expect(props.modelValue.member).toBeUndefined()
    expect(memberCode('club')).toBe('')
    expect(find('member-code-fault')?.textContent).toContain('another mail address')
  })

  it('that could not be tried says why, by its code where there are no words for it', async () => {
    vi.spyOn(api, 'quote').mockRejectedValue(new Problem(507, 'out_of_paper', '', undefined, undefined))
    const { props, find, type } = checkout()
    await type('CODE')
    expect(props.modelValue.member).toBeUndefined()
    expect(find('member-code-fault')?.textContent).toContain('“out_of_paper”')
  })

  it('is good though something else is wrong with the order', async () => {
    vi.spyOn(api, 'quote').mockRejectedValue(new Problem(422, 'limit_exceeded', '', '/lines', undefined))
    const { props, type } = checkout()
    await type('CODE')
    expect(props.modelValue.member).toBe('CODE')
  })

  it('that the device remembers is used without asking', async () => {
    keepMemberCode('club', 'CODE')
    vi.spyOn(api, 'quote').mockResolvedValue(quote)
    const { props } = checkout()
    await settled()
    expect(props.modelValue.member).toBe('CODE')
  })

  it.each([
    [no, ''],
    [new Problem(503, 'unavailable', '', undefined, undefined), 'CODE'],
  ])('that the device remembers is forgotten only if it is no good: %s', async (failure, kept) => {
    keepMemberCode('club', 'CODE')
    vi.spyOn(api, 'quote').mockRejectedValue(failure)
    const { props } = checkout()
    await settled()
    expect(props.modelValue.member).toBeUndefined()
    expect(memberCode('club')).toBe(kept)
  })

  it('of another mail address is taken out when the order is refused, and stands there to be tried again', async () => {
    const { props, find } = checkout({ member: 'CODE' })
    props.failures = [undefined, no]
    await settled()
    expect(props.modelValue.member).toBeUndefined()
    expect(find('member-code')?.value).toBe('CODE')
    expect(find('member-code-fault')?.textContent).toContain('another mail address')
  })
})

describe('a buyer without a code', () => {
  it('may wish to join', async () => {
    const { props, find } = checkout()
    const box = find('join')
    if (!box) throw new Error('no box')
    box.checked = true
    box.dispatchEvent(new Event('change'))
    await settled()
    expect(props.modelValue.join).toBe(true)
  })
})

describe('the membership of an order', () => {
  const shown: Membership = {
    programme_id: 'club', programme: text('Club'), earned: 210, code: 'CODE', points: 210, level: { name: text('Friend'), points: 200 }, next: { name: text('Patron'), points: 900 },
  }

  it('tells points, level and what is missing, and is remembered', () => {
    const page = mount(MembershipCard, { membership: shown })
    expect(page.textContent).toContain('210 points from this order')
    expect(page.textContent).toContain('Your level: Friend')
    expect(page.textContent).toContain('690 more points to the next level, Patron')
    expect(memberCode('club')).toBe('CODE')
  })

  it('tells only the points of the order where no more is known', () => {
    const page = mount(MembershipCard, { membership: { programme_id: 'club', programme: text('Club'), earned: 1 } })
    expect(page.textContent).toContain('One point from this order')
    expect(page.textContent).toContain('in the mail')
    expect(page.querySelector('[data-testid="level"]')).toBeNull()
    expect(memberCode('club')).toBe('')
  })

  it('misses nothing at the highest level', () => {
    expect(pointsMissing({ ...shown, next: undefined })).toBe(0)
    expect(pointsMissing(shown)).toBe(690)
  })
})
