import type { SeatMap, SeatMapRef } from '../api/seats'
import type { Text } from '../api/types'

/** What is special about a seat, as bits of Plan.marks. */
export const mark = { wheelchair: 1, companion: 2, restricted: 4, aisle: 8 } as const

export interface Row {
  /** Index of its section. */
  section: number
  label: string
  /** Number of its first seat, and how many there are. */
  first: number
  count: number
  /** Undefined where the seats are called 1, 2, 3 … */
  labels?: string[]
}

export interface Section {
  id: string
  name: Text
  rows: number[]
}

export interface Box {
  left: number
  top: number
  right: number
  bottom: number
}

/**
 * A seat map unpacked for drawing and asking: seats are numbers from 0 in the
 * order of the rows, coordinates are centimetres. It never changes once made.
 */
export class Plan {
  readonly ref: SeatMapRef
  readonly seats: number
  readonly x: Float32Array
  readonly y: Float32Array
  /** Index of each seat's category. */
  readonly category: Uint8Array
  readonly marks: Uint8Array
  /** Index of each seat's row. */
  readonly row: Uint32Array
  readonly rows: Row[] = []
  readonly sections: Section[] = []
  /** Everything: seats, areas and the stage. */
  readonly box: Box
  /** How far apart neighbours usually stand. */
  readonly pitch: number
  private readonly numbers = new Map<string, number>()
  private readonly types: (string | undefined)[]

  constructor(readonly map: SeatMap) {
    this.ref = map.seat_map
    this.seats = map.seats
    this.x = new Float32Array(map.seats)
    this.y = new Float32Array(map.seats)
    this.category = new Uint8Array(map.seats)
    this.marks = new Uint8Array(map.seats)
    this.row = new Uint32Array(map.seats)
    this.types = map.categories.map((c) => c.ticket_type_id)
    map.sections.forEach((section, index) => {
      const rows: number[] = []
      for (const row of section.rows) {
        rows.push(this.rows.length)
        this.unpack(row, index)
      }
      this.sections.push({ id: section.id, name: section.name, rows })
    })
    for (const name of ['wheelchair', 'companion', 'restricted'] as const) {
      for (const seat of map[name]) this.marks[seat] = (this.marks[seat] ?? 0) | mark[name]
    }
    for (const seat of map.aisles) this.marks[seat] = (this.marks[seat] ?? 0) | mark.aisle
    this.pitch = this.usualPitch()
    this.box = this.extent()
  }

  private unpack(row: SeatMap['sections'][number]['rows'][number], section: number) {
    const index = this.rows.length
    this.rows.push({ section, label: row.label, first: row.first, count: row.count, labels: row.labels })
    let [x, y] = [0, 0]
    for (let i = 0; i < row.count; i++) {
      this.x[row.first + i] = x += row.x[i] ?? 0
      this.y[row.first + i] = y += row.y[i] ?? 0
      this.row[row.first + i] = index
      this.numbers.set(`${this.map.sections[section]?.id}/${row.label}/${row.labels?.[i] ?? i + 1}`, row.first + i)
    }
    let at = row.first
    for (const [category, count] of row.categories) {
      this.category.fill(category, at, at + count)
      at += count
    }
  }

  /** The median of the steps between neighbours, so that a few aisles do not count. */
  private usualPitch(): number {
    const steps: number[] = []
    for (const row of this.rows) {
      for (let seat = row.first + 1; seat < row.first + row.count; seat++) {
        steps.push(Math.hypot(this.at(seat).x - this.at(seat - 1).x, this.at(seat).y - this.at(seat - 1).y))
      }
    }
    steps.sort((a, b) => a - b)
    return steps[steps.length >> 1] || 55
  }

  private extent(): Box {
    const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity }
    const take = (x: number, y: number, around: number) => {
      box.left = Math.min(box.left, x - around)
      box.top = Math.min(box.top, y - around)
      box.right = Math.max(box.right, x + around)
      box.bottom = Math.max(box.bottom, y + around)
    }
    for (let seat = 0; seat < this.seats; seat++) take(this.at(seat).x, this.at(seat).y, this.pitch)
    for (const area of this.map.areas) for (const [x, y] of area.outline) take(x, y, 0)
    take(this.map.stage[0], this.map.stage[1], 2 * this.pitch)
    return box
  }

  at(seat: number): { x: number; y: number } {
    return { x: this.x[seat] ?? 0, y: this.y[seat] ?? 0 }
  }

  rowOf(seat: number): Row {
    return this.rows[this.row[seat] ?? 0] as Row
  }

  sectionOf(seat: number): Section {
    return this.sections[this.rowOf(seat).section] as Section
  }

  /** What tickets say after section and row. */
  labelOf(seat: number): string {
    const row = this.rowOf(seat)
    return row.labels?.[seat - row.first] ?? String(seat - row.first + 1)
  }

  /** section/row/seat, as orders name it. */
  idOf(seat: number): string {
    return `${this.sectionOf(seat).id}/${this.rowOf(seat).label}/${this.labelOf(seat)}`
  }

  /** The number of a seat, or undefined where there is none of this id. */
  find(id: string): number | undefined {
    return this.numbers.get(id)
  }

  /** The ticket type that sells a seat, or undefined where nothing does. */
  typeOf(seat: number): string | undefined {
    return this.types[this.category[seat] ?? 0]
  }

  has(seat: number, what: number): boolean {
    return ((this.marks[seat] ?? 0) & what) !== 0
  }
}
