import { mark } from './plan'

type Ink = CanvasRenderingContext2D

/** What is special about a seat, as a sign within a radius around a point. */
export function drawMark(ctx: Ink, marks: number, x: number, y: number, r: number, colour: string): void {
  ctx.save()
  ctx.translate(x, y)
  ctx.scale(r / 10, r / 10)
  ctx.strokeStyle = colour
  ctx.fillStyle = colour
  ctx.lineWidth = 2.2
  ctx.lineCap = 'round'
  ctx.lineJoin = 'round'
  ctx.stroke(pathOf(marks))
  ctx.restore()
}

/** Signs as the `d` of an SVG path, in a square from −10 to 10. */
export const signs = {
  wheelchair: 'M-2 -9.4h.1M-2 -5.5V1.5H4L6.5 7.5H9M-2 -2H3.5M-4.6 -.6A5.6 5.6 0 1 0 3.6 5.4',
  companion: 'M-4.5 -7h.1M4.5 -7h.1M-8 7V1.5A3.5 3.5 0 0 1 -1 1.5V7M1 7V1.5A3.5 3.5 0 0 1 8 1.5V7',
  restricted: 'M-9 0C-5 -6.5 5 -6.5 9 0C5 6.5 -5 6.5 -9 0ZM-6.5 8.5L6.5 -8.5',
}

const built = new Map<string, Path2D>()

function pathOf(marks: number): Path2D {
  const sign = marks & mark.wheelchair ? signs.wheelchair : marks & mark.companion ? signs.companion : signs.restricted
  let path = built.get(sign)
  if (!path) built.set(sign, (path = new Path2D(sign)))
  return path
}

export function drawTick(ctx: Ink, x: number, y: number, r: number): void {
  stroke(ctx, r, [[x - r, y + 0.05 * r], [x - 0.25 * r, y + 0.75 * r], [x + r, y - 0.75 * r]])
}

export function drawCross(ctx: Ink, x: number, y: number, r: number): void {
  stroke(ctx, r, [[x - r, y - r], [x + r, y + r]])
  stroke(ctx, r, [[x + r, y - r], [x - r, y + r]])
}

function stroke(ctx: Ink, r: number, points: [number, number][]): void {
  ctx.beginPath()
  points.forEach(([x, y], i) => (i ? ctx.lineTo(x, y) : ctx.moveTo(x, y)))
  ctx.strokeStyle = '#ffffff'
  ctx.lineWidth = 0.42 * r
  ctx.lineCap = 'round'
  ctx.lineJoin = 'round'
  ctx.stroke()
}
