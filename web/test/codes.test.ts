import { beforeEach, describe, expect, it } from 'vitest'
import { nextTick, ref } from 'vue'
import { asked, useCodes, voucherOf } from '../src/orders/codes'

describe('codes', () => {
  beforeEach(() => sessionStorage.clear())

  it('are sent only where there are some', () => {
    expect(asked({ vouchers: [], access: '' })).toEqual({})
    expect(asked({ vouchers: ['A', 'B'], access: '' })).toEqual({ vouchers: ['A', 'B'] })
    expect(asked({ vouchers: [], access: 'X' })).toEqual({ access_code: 'X' })
  })

  it('are kept for their event, and there after a reload', async () => {
    const event = ref<string>()
    const codes = useCodes(() => event.value)
    event.value = 'a'
    await nextTick()
    codes.value = { vouchers: ['TEN'], access: 'EARLY' }
    await nextTick()
    expect(useCodes(() => 'a').value).toEqual({ vouchers: ['TEN'], access: 'EARLY' })
    expect(useCodes(() => 'b').value).toEqual({ vouchers: [], access: '' })
    event.value = 'b'
    await nextTick()
    expect(codes.value).toEqual({ vouchers: [], access: '' })
    expect(useCodes(() => 'a').value.vouchers).toEqual(['TEN'])
  })

  it.each([
    ['/vouchers/0', 0],
    ['/vouchers/3', 3],
    ['/vouchers', 'all'],
    ['/lines/0/quantity', undefined],
    ['/vouchers/x', undefined],
    [undefined, undefined],
  ])('are named by the field %s', (field, voucher) => {
    expect(voucherOf(field)).toBe(voucher)
  })
})
