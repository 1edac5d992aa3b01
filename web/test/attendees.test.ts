import { describe, expect, it } from 'vitest'
import type { Attendee, DocumentType } from '../src/api/attendees'
import { attendeeField, attendeesOf, checkAttendee, checkAttendees, checkDigit, normalNumber } from '../src/orders/attendees'

const attendee = (document_type: DocumentType, document_number: string, name = '张三'): Attendee => ({ name, document_type, document_number })

describe('an attendee', () => {
  it.each([
    ['resident_id', '11010519491231002X', undefined],
    ['resident_id', '１１０１０５ 19491231-002x', undefined],
    ['resident_id', '110105194912310021', 'check'],
    ['resident_id', '110105491231002', 'resident_id'],
    ['resident_id', '932682198501010017', 'resident_id'],
    ['resident_id', '  ', 'number_missing'],
    ['passport', 'e12345678', undefined],
    ['passport', 'PASSPORT', 'passport'],
    ['passport', 'E123456789', 'passport'],
    ['hk_macao_permit', 'h12345678', undefined],
    ['hk_macao_permit', 'H1234567802', undefined],
    ['hk_macao_permit', 'K12345678', 'hk_macao_permit'],
    ['taiwan_permit', '12345678', undefined],
    ['taiwan_permit', '123456789', 'taiwan_permit'],
    ['permanent_resident_id', '932682198501010017', undefined],
    ['permanent_resident_id', '932682198501010018', 'check'],
    ['permanent_resident_id', 'CAN110078010115', undefined],
    ['permanent_resident_id', '11010519491231002X', 'permanent_resident_id'],
  ] as [DocumentType, string, string | undefined][])('with a %s %s', (type, number, fault) => {
    expect(checkAttendee(attendee(type, number)).number).toBe(fault)
  })

  it.each([
    ['', 'name_missing'],
    ['Agent 007', 'name_form'],
    ['???', 'name_form'],
    ['三'.repeat(101), 'name_long'],
    ['阿凡提·买买提', undefined],
    ["Anne-Marie O'Neill", undefined],
  ])('called %s', (name, fault) => {
    expect(checkAttendee(attendee('taiwan_permit', '12345678', name)).name).toBe(fault)
  })

  it('finds every single wrong digit of a resident card', () => {
    const number = '11010519491231002X'
    for (let i = 0; i < 17; i++) {
      for (const other of '0123456789') {
        const wrong = number.slice(0, i) + other + number.slice(i + 1)
        if (wrong !== number) expect(checkDigit(wrong.slice(0, 17)), wrong).not.toBe('X')
      }
    }
  })

  it('is not named twice in an order, however the number is written', () => {
    const faults = checkAttendees([attendee('passport', 'e 1234567'), attendee('taiwan_permit', '12345678'), attendee('passport', 'Ｅ1234567')])
    expect(faults).toEqual([{}, {}, { number: 'twice' }])
  })

  it('is sent as it is compared', () => {
    expect(attendeesOf([attendee('passport', ' e12 345678', ' Ann ')])).toEqual([attendee('passport', 'E12345678', 'Ann')])
    expect(normalNumber('Ｈ１２３４５６７８')).toBe('H12345678')
  })
})

it('an answer says which attendee it is about', () => {
  expect(attendeeField('/attendees/2/document_number')).toEqual({ index: 2, part: 'number' })
  expect(attendeeField('/attendees/0/name')).toEqual({ index: 0, part: 'name' })
  expect(attendeeField('/attendees/1')).toEqual({ index: 1, part: 'number' })
  expect(attendeeField('/buyer/name')).toBeUndefined()
  expect(attendeeField(undefined)).toBeUndefined()
})
