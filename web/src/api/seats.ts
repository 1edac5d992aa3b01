/** What the API sends of seat maps and of how seats stand. */
import type { Text } from './types'

export interface SeatMapRef {
  id: string
  version: number
}

/** x to the right and y downwards, in centimetres. */
export type Point = [number, number]

/** The plan of a session's seats, which are numbered from 0 in the order of the rows. */
export interface SeatMap {
  session_id: string
  seat_map: SeatMapRef
  name: Text
  /** Where everybody looks. */
  stage: Point
  best: Point
  seats: number
  categories: { id: string; name: Text; ticket_type_id?: string }[]
  sections: { id: string; name: Text; rows: SeatRow[] }[]
  areas: { id: string; name: Text; category: number; capacity: number; outline: Point[] }[]
  wheelchair: number[]
  companion: number[]
  restricted: number[]
  /** Seats that an aisle separates from the next one of their row. */
  aisles: number[]
}

export interface SeatRow {
  label: string
  first: number
  count: number
  /** Absent where they are 1, 2, 3 … */
  labels?: string[]
  /** Of the first seat, then of each seat less that of the one before. */
  x: number[]
  y: number[]
  /** Runs of seats: the index of their category, and how many. */
  categories: [number, number][]
}

/** How seats stand, all of them or those that may have changed. */
export interface Seats {
  session_id: string
  seat_map: SeatMapRef
  as_of: string
  /** Bit i of a bitmap (base64), the lowest of each byte first, is seat first + i. */
  spans: { first: number; count: number; taken: string; sold: string }[]
}

/** Of `seat_taken`: which chosen seats are gone, and as many to choose instead, if there are any. */
export interface LostSeats {
  taken: string[]
  alternative?: string[]
}
