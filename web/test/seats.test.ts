import { describe, expect, it } from 'vitest'
import type { SeatMap, Seats } from '../src/api/seats'
import type { TicketType } from '../src/api/types'
import { lostOf, mostOf, replaced, toggle, withLine, without, type Rules } from '../src/seats/choice'
import { Grid } from '../src/seats/grid'
import { best, instead } from '../src/seats/instead'
import { mark, Plan } from '../src/seats/plan'
import { free, held, SeatStates, sold } from '../src/seats/states'
import { fit, seen } from '../src/seats/view'
import { readBasket, writeBasket } from '../src/orders/basket'

/** Two rows of six: A in one category with an aisle after seat 3, B in another whose last two have letters; B1 is for a wheelchair. */
function map(): SeatMap {
  return {
    session_id: 's', seat_map: { id: 'hall', version: 1 }, name: { en: 'Hall' }, stage: [0, -300], best: [150, 0], seats: 12,
    categories: [
      { id: 'a', name: { en: 'A' }, ticket_type_id: 'ta' },
      { id: 'b', name: { en: 'B' }, ticket_type_id: 'tb' },
    ],
    sections: [
      {
        id: 'hall', name: { en: 'Hall' },
        rows: [
          { label: 'A', first: 0, count: 6, x: [0, 50, 50, 100, 50, 50], y: [0, 0, 0, 0, 0, 0], categories: [[0, 6]] },
          { label: 'B', first: 6, count: 6, labels: ['1', '2', '3', '4', 'X', 'Y'], x: [0, 50, 50, 50, 50, 50], y: [100, 0, 0, 0, 0, 0], categories: [[1, 6]] },
        ],
      },
    ],
    areas: [], wheelchair: [6], companion: [], restricted: [], aisles: [2],
  }
}

const base64 = (...bytes: number[]) => btoa(String.fromCharCode(...bytes))

function hall(takenSeats: number[] = [], soldSeats: number[] = []) {
  const plan = new Plan(map())
  const states = new SeatStates(plan.ref, plan.category, 2)
  const bitmap = (seats: number[]) => {
    const bytes = [0, 0]
    for (const s of seats) bytes[s >> 3] = (bytes[s >> 3] ?? 0) | (1 << (s & 7))
    return base64(...bytes)
  }
  const message: Seats = {
    session_id: 's', seat_map: plan.ref, as_of: '',
    spans: [{ first: 0, count: 12, taken: bitmap([...takenSeats, ...soldSeats]), sold: bitmap(soldSeats) }],
  }
  return { plan, states, message, changed: states.take(message) }
}

const type = (id: string, most: number) => ({ id, max_per_order: most }) as TicketType
/** A bundle is two tickets of the event. */
const count: Rules['count'] = (lines) => lines.reduce((sum, l) => sum + l.quantity * (l.ticket_type_id === 'bundle' ? 2 : 1), 0)
const rules = (open = true): Rules => ({ types: [type('ta', 3), type('tb', 2)], perOrder: 4, count, open: () => open })

describe('a plan', () => {
  const plan = new Plan(map())

  it('places seats by the steps from their neighbours, and names them as orders do', () => {
    expect(plan.at(3)).toEqual({ x: 200, y: 0 })
    expect(plan.at(11)).toEqual({ x: 250, y: 100 })
    expect(plan.idOf(10)).toBe('hall/B/X')
    expect(plan.find('hall/B/X')).toBe(10)
    expect(plan.find('hall/C/1')).toBeUndefined()
    for (let seat = 0; seat < plan.seats; seat++) expect(plan.find(plan.idOf(seat))).toBe(seat)
    expect(plan.typeOf(5)).toBe('ta')
    expect(plan.has(6, mark.wheelchair)).toBe(true)
    expect(plan.pitch).toBe(50)
  })

  it('is found by place, and walked by arrow keys', () => {
    const grid = new Grid(plan, 120)
    expect(grid.nearest(198, 4, 30)).toBe(3)
    expect(grid.nearest(150, 40, 20)).toBeUndefined()
    for (let seat = 0; seat < plan.seats; seat++) expect(grid.nearest(plan.at(seat).x, plan.at(seat).y, 5)).toBe(seat)
    expect(grid.next(2, 1, 0)).toBe(3)
    expect(grid.next(0, 0, 1)).toBe(6)
    expect(grid.next(0, -1, 0)).toBeUndefined()
  })

  it('is shown whole in its frame', () => {
    const size = { width: 390, height: 340 }
    const box = seen(fit(plan.box, size), size)
    expect(box.left).toBeLessThanOrEqual(plan.box.left)
    expect(box.right).toBeGreaterThanOrEqual(plan.box.right)
    expect(box.top).toBeLessThanOrEqual(plan.box.top)
    expect(box.bottom).toBeGreaterThanOrEqual(plan.box.bottom)
  })
})

describe('how seats stand', () => {
  it('is read from bitmaps, once however often it is told', () => {
    const { states, message, changed } = hall([1], [9])
    expect([...states.state]).toEqual([free, held, free, free, free, free, free, free, free, sold, free, free])
    expect([...states.freeOf]).toEqual([5, 5])
    expect(changed).toHaveLength(11) // all were shown as sold before
    expect(states.take(message)).toEqual([])
    // A delta speaks only of its span.
    expect(states.take({ ...message, spans: [{ first: 8, count: 4, taken: base64(0), sold: base64(0) }] })).toEqual([9])
    expect([...states.freeOf]).toEqual([5, 6])
    expect(states.knows({ ...message, seat_map: { id: 'hall', version: 2 } })).toBe(false)
  })
})

describe('choosing', () => {
  it('adds and removes seats within the limits of the type and of the order', () => {
    const { plan, states } = hall([1])
    let lines = toggle([], 0, plan, states, rules())
    expect(lines).toEqual([{ ticket_type_id: 'ta', quantity: 1, seat_ids: ['hall/A/1'] }])
    expect(toggle(lines as [], 1, plan, states, rules())).toBe('taken')
    for (const seat of [2, 3]) lines = toggle(lines as [], seat, plan, states, rules())
    expect(toggle(lines as [], 4, plan, states, rules())).toBe('limit_type')
    lines = toggle(lines as [], 7, plan, states, rules())
    expect(toggle(lines as [], 8, plan, states, rules())).toBe('limit_order')
    expect(toggle([{ ticket_type_id: 'bundle', quantity: 2 }], 8, plan, states, rules())).toBe('limit_order')
    expect(toggle([], 8, plan, states, rules(false))).toBe('not_sold')
    lines = toggle(lines as [], 0, plan, states, rules())
    expect(lines).toEqual([
      { ticket_type_id: 'tb', quantity: 1, seat_ids: ['hall/B/2'] },
      { ticket_type_id: 'ta', quantity: 2, seat_ids: ['hall/A/3', 'hall/A/4'] },
    ])
    expect(readBasket(writeBasket(lines as []))).toEqual(lines)
  })

  it('keeps the bound per buyer, and what a member may have over it', () => {
    const { plan, states } = hall()
    const bounded = (extra?: number): Rules => ({ ...rules(), types: [{ ...type('ta', 3), max_per_buyer: 1 }], extra })
    const one = toggle([], 0, plan, states, bounded()) as []
    expect(toggle(one, 1, plan, states, bounded())).toBe('limit_type')
    const two = toggle(one, 1, plan, states, bounded(1)) as []
    expect(two).toEqual([{ ticket_type_id: 'ta', quantity: 2, seat_ids: ['hall/A/1', 'hall/A/2'] }])
    expect(toggle(two, 2, plan, states, bounded(1))).toBe('limit_type')
    expect([mostOf(type('ta', 3), 5), mostOf({ ...type('ta', 3), max_per_buyer: 1 }, 5)]).toEqual([3, 3])
  })

  it('knows what was lost, and keeps the rest', () => {
    const { plan, states } = hall([1], [7])
    const lines = [
      { ticket_type_id: 'ta', quantity: 2, seat_ids: ['hall/A/1', 'hall/A/2'] },
      { ticket_type_id: 'tb', quantity: 1, seat_ids: ['hall/B/2'] },
    ]
    const lost = lostOf(lines, plan, states)
    expect(lost).toEqual(['hall/A/2', 'hall/B/2'])
    expect(without(lines, lost)).toEqual([{ ticket_type_id: 'ta', quantity: 1, seat_ids: ['hall/A/1'] }])
    expect(withLine(lines, { ticket_type_id: 'tb', quantity: 0 })).toHaveLength(1)
    expect(replaced(lines, { taken: ['hall/A/2'], alternative: ['hall/A/4', 'hall/A/5'] })).toEqual([
      { ticket_type_id: 'ta', quantity: 2, seat_ids: ['hall/A/4', 'hall/A/5'] },
      lines[1],
    ])
    expect(replaced(lines, { taken: ['hall/A/2'] })).toBeUndefined()
  })

  it('offers the nearest seats side by side, never across an aisle', () => {
    const { plan, states } = hall([1])
    expect(instead(plan, states, [0, 1])).toEqual([3, 4])
    const full = hall([0, 1, 2, 3, 4, 5])
    expect(instead(full.plan, full.states, [0, 1])).toBeUndefined()
  })

  it('finds the best seats together, and a wheelchair space last', () => {
    const { plan, states } = hall([])
    expect(best(plan, states, [0], 2)).toEqual([1, 2])
    expect(best(plan, states, [0], 4)).toBeUndefined()
    expect(best(plan, states, [0, 1], 1)).toEqual([2])
    expect(best(plan, states, [1], 6)).toEqual([6, 7, 8, 9, 10, 11])
    const few = hall([8, 9, 10, 11], [])
    expect(best(few.plan, few.states, [1], 1)).toEqual([7])
    expect(best(plan, states, [], 1)).toBeUndefined()
  })
})
