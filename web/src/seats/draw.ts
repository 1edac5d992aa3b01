import type { Grid } from './grid'
import { ink, lookOf, rounded, trace } from './look'
import { drawCross, drawMark, drawTick } from './marks'
import { reach, type SeatPaths } from './paths'
import { mark, type Plan } from './plan'
import type { Stage } from './stage'
import { free, held, type SeatStates } from './states'
import { from, seen, type Size, type View } from './view'

/** Everything a frame shows. */
export interface Scene {
  plan: Plan
  grid: Grid
  states: SeatStates
  paths: SeatPaths<Path2D>
  stage: Stage
  chosen: ReadonlySet<number>
  lost: ReadonlySet<number>
  offered: ReadonlySet<number>
  /** The seat of the keyboard. */
  cursor?: number
  /** The seat under the mouse. */
  hovered?: number
  /** Categories that cannot be bought, or are not looked for, are pale. */
  pale(category: number): boolean
  words: { stage: string; sections: string[]; areas: string[]; font: string }
}

/** Draws one frame. Nothing is built for it but what is seen for the first time. */
export function drawFrame(ctx: CanvasRenderingContext2D, scene: Scene, view: View, size: Size, density: number): void {
  const { plan, grid, paths } = scene
  const seat = plan.pitch * view.k
  const near = seat >= from.shape
  const cells = grid.touched(seen(view, size), plan.pitch)

  ctx.setTransform(density, 0, 0, density, 0, 0)
  ctx.fillStyle = ink.ground
  ctx.fillRect(0, 0, size.width, size.height)
  const toPlan = () => ctx.setTransform(density * view.k, 0, 0, density * view.k, density * view.x, density * view.y)
  toPlan()
  drawStage(ctx, scene, view)
  drawAreas(ctx, scene, view)

  ctx.lineWidth = Math.max(0.06 * plan.pitch, 0.5 / view.k)
  ctx.strokeStyle = ink.held
  for (const cell of cells) {
    for (const layer of paths.of(cell, near ? 'near' : 'far')) {
      ctx.globalAlpha = scene.pale(layer.category) ? 0.22 : 1
      if (layer.state === held && near) {
        ctx.fillStyle = '#ffffff'
        ctx.fill(layer.path)
        ctx.stroke(layer.path)
      } else {
        ctx.fillStyle = layer.state === free ? lookOf(layer.category).fill : ink.gone
        ctx.fill(layer.path)
      }
    }
  }
  ctx.globalAlpha = 1
  if (seat >= from.mark) for (const cell of cells) for (const s of grid.cells[cell] ?? []) drawDetails(ctx, scene, s, seat)
  drawPicked(ctx, scene, view)

  ctx.setTransform(density, 0, 0, density, 0, 0)
  if (seat >= from.mark) drawRowLabels(ctx, scene, view, size)
  else drawSectionNames(ctx, scene, view, size)
}

function drawStage(ctx: CanvasRenderingContext2D, { stage, words }: Scene, view: View): void {
  const { left, top, right, bottom } = stage.box
  const [w, h] = [right - left, bottom - top]
  ctx.beginPath()
  if (stage.kind === 'screen') {
    // A thin bow, as the screen stands before the first row.
    ctx.moveTo(left, bottom)
    ctx.quadraticCurveTo((left + right) / 2, top - h, right, bottom)
    ctx.strokeStyle = ink.stage
    ctx.lineCap = 'round'
    ctx.lineWidth = Math.max(14, 3 / view.k)
    ctx.stroke()
  } else if (stage.kind === 'field') {
    rounded(ctx, left, top, w, h, 0.04 * w, 0.04 * w)
    ctx.fillStyle = '#e3efe4'
    ctx.fill()
    ctx.strokeStyle = '#9cbda1'
    ctx.lineWidth = Math.max(20, 1 / view.k)
    ctx.stroke()
    ctx.beginPath()
    ctx.moveTo(left + w / 2, top)
    ctx.lineTo(left + w / 2, bottom)
    ctx.moveTo(left + w / 2 + 0.13 * w, top + h / 2)
    ctx.arc(left + w / 2, top + h / 2, 0.13 * w, 0, 2 * Math.PI)
    ctx.stroke()
  } else {
    rounded(ctx, left, top, w, h, 0.06 * w, 0.3 * h)
    ctx.fillStyle = ink.stage
    ctx.fill()
  }
  const height = Math.min(16, Math.max(11, 0.2 * h * view.k)) / view.k
  ctx.font = `650 ${height}px ${words.font}`
  ctx.textAlign = 'center'
  ctx.textBaseline = 'middle'
  ctx.fillStyle = stage.kind === 'stage' ? '#ffffff' : stage.kind === 'field' ? '#3c6b45' : ink.soft
  const y = stage.kind === 'screen' ? bottom + 0.9 * height : stage.kind === 'field' ? top + 0.25 * h : (top + bottom) / 2
  if (ctx.measureText(words.stage).width < 0.95 * w) ctx.fillText(words.stage, (left + right) / 2, y)
}

function drawAreas(ctx: CanvasRenderingContext2D, scene: Scene, view: View): void {
  scene.plan.map.areas.forEach((area, index) => {
    const xs = area.outline.map(([x]) => x)
    const ys = area.outline.map(([, y]) => y)
    const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
    const { fill } = lookOf(area.category)
    const outline = () => {
      ctx.beginPath()
      area.outline.forEach(([x, y], i) => (i ? ctx.lineTo(x, y) : ctx.moveTo(x, y)))
      ctx.closePath()
    }
    outline()
    ctx.save()
    ctx.globalAlpha = scene.pale(area.category) ? 0.3 : 1
    ctx.fillStyle = '#ffffff'
    ctx.fill()
    ctx.save()
    ctx.clip()
    // Hatched: people stand here, nobody has a number.
    ctx.strokeStyle = fill
    ctx.globalAlpha *= 0.35
    ctx.lineWidth = 1.5 / view.k
    ctx.beginPath()
    const step = 8 / view.k
    for (let x = left - (bottom - top); x < right; x += step) {
      ctx.moveTo(x, bottom)
      ctx.lineTo(x + bottom - top, top)
    }
    ctx.stroke()
    ctx.restore()
    outline()
    ctx.lineWidth = 2 / view.k
    ctx.strokeStyle = fill
    ctx.stroke()
    const upright = bottom - top > right - left
    const [length, depth] = upright ? [bottom - top, right - left] : [right - left, bottom - top]
    const height = Math.min(13 / view.k, 0.8 * depth)
    ctx.translate((left + right) / 2, (top + bottom) / 2)
    if (upright) ctx.rotate(Math.PI / 2)
    ctx.font = `650 ${height}px ${scene.words.font}`
    ctx.textAlign = 'center'
    ctx.textBaseline = 'middle'
    const words = scene.words.areas[index] ?? ''
    const width = ctx.measureText(words).width
    if (height * view.k >= 8 && width < length) {
      ctx.fillStyle = '#ffffff'
      plate(ctx, width + height, 1.3 * height)
      ctx.fillStyle = ink.text
      ctx.fillText(words, 0, 0)
    }
    ctx.restore()
  })
}

function plate(ctx: CanvasRenderingContext2D, width: number, height: number): void {
  ctx.beginPath()
  rounded(ctx, -width / 2, -height / 2, width, height, 0.3 * height, 0.3 * height)
  ctx.fill()
}

/** The number of a seat, or what is special about it. */
function drawDetails(ctx: CanvasRenderingContext2D, scene: Scene, seat: number, size: number): void {
  const { plan, states } = scene
  const { x, y } = plan.at(seat)
  const state = states.state[seat]
  if (scene.chosen.has(seat) || scene.lost.has(seat)) return
  const category = plan.category[seat] ?? 0
  ctx.globalAlpha = scene.pale(category) ? 0.35 : 1
  const colour = state === free ? '#ffffff' : ink.held
  const special = mark.wheelchair | mark.companion | mark.restricted
  if (plan.has(seat, special)) drawMark(ctx, plan.marks[seat] ?? 0, x, y, 0.3 * plan.pitch, colour)
  else if (size >= from.number && state === free) {
    ctx.font = `600 ${0.36 * plan.pitch}px ${scene.words.font}`
    ctx.textAlign = 'center'
    ctx.textBaseline = 'middle'
    ctx.fillStyle = colour
    ctx.fillText(plan.labelOf(seat), x, y + 0.02 * plan.pitch, 0.7 * plan.pitch)
  }
  ctx.globalAlpha = 1
}

/** Seats the buyer has to do with: chosen, gone, offered, under the mouse or the keyboard. */
function drawPicked(ctx: CanvasRenderingContext2D, scene: Scene, view: View): void {
  const { plan } = scene
  // Never so small that it could be missed, however far away.
  const r = Math.max(reach * plan.pitch, 4.5 / view.k)
  const line = Math.max(0.09 * plan.pitch, 1.8 / view.k)
  const ring = (seat: number, colour: string, grow: number, width = line) => {
    const { x, y } = plan.at(seat)
    ctx.beginPath()
    trace(ctx, 'square', x, y, r + grow)
    ctx.lineWidth = width
    ctx.strokeStyle = colour
    ctx.stroke()
  }
  const badge = (seat: number, colour: string) => {
    const { x, y } = plan.at(seat)
    ctx.beginPath()
    trace(ctx, 'square', x, y, r)
    ctx.fillStyle = colour
    ctx.fill()
    return { x, y }
  }
  for (const seat of scene.offered) {
    ring(seat, '#ffffff', 0.9 * line, 2.4 * line)
    ring(seat, ink.offered, 0.9 * line, 1.4 * line)
  }
  for (const seat of scene.lost) {
    const { x, y } = badge(seat, ink.lost)
    drawCross(ctx, x, y, 0.5 * r)
  }
  for (const seat of scene.chosen) {
    const { x, y } = badge(seat, ink.chosen)
    ring(seat, ink.ring, 0.5 * line)
    drawTick(ctx, x, y, 0.55 * r)
  }
  if (scene.hovered !== undefined) ring(scene.hovered, ink.text, 0.5 * line)
  if (scene.cursor !== undefined) {
    ring(scene.cursor, '#ffffff', 1.6 * line, 3 * line)
    ring(scene.cursor, ink.focus, 1.6 * line, 1.5 * line)
  }
}

/** Letters of rows at both their ends. */
function drawRowLabels(ctx: CanvasRenderingContext2D, { plan, words }: Scene, view: View, size: Size): void {
  const pixels = Math.min(14, Math.max(9, 0.42 * plan.pitch * view.k))
  ctx.font = `650 ${pixels}px ${words.font}`
  ctx.fillStyle = ink.soft
  ctx.textAlign = 'center'
  ctx.textBaseline = 'middle'
  for (const row of plan.rows) {
    const [a, b] = [plan.at(row.first), plan.at(row.first + row.count - 1)]
    const [c, d] = [plan.at(row.first + Math.min(1, row.count - 1)), plan.at(row.first + Math.max(0, row.count - 2))]
    for (const [end, inner] of [[a, c], [b, d]] as const) {
      const [dx, dy] = [end.x - inner.x, end.y - inner.y]
      const length = Math.hypot(dx, dy) || 1
      const x = (end.x + (0.95 * plan.pitch * dx) / length) * view.k + view.x
      const y = (end.y + (0.95 * plan.pitch * dy) / length) * view.k + view.y
      if (x > -20 && y > -20 && x < size.width + 20 && y < size.height + 20) ctx.fillText(row.label, x, y)
    }
  }
}

/** From afar: which part of the hall is which, where there is room to say it. */
function drawSectionNames(ctx: CanvasRenderingContext2D, scene: Scene, view: View, size: Size): void {
  if (scene.plan.sections.length < 2) return
  ctx.textAlign = 'center'
  ctx.textBaseline = 'middle'
  ctx.font = `650 12px ${scene.words.font}`
  scene.plan.sections.forEach((section, index) => {
    const first = scene.plan.rows[section.rows[0] ?? 0]
    const last = scene.plan.rows[section.rows[section.rows.length - 1] ?? 0]
    if (!first || !last) return
    const ends = [first.first, first.first + first.count - 1, last.first, last.first + last.count - 1].map((s) => scene.plan.at(s))
    const xs = ends.map((p) => p.x * view.k + view.x)
    const [x, y] = [(Math.min(...xs) + Math.max(...xs)) / 2, middleOf(scene.plan, section.rows, view)]
    if (x < 0 || y < 0 || x > size.width || y > size.height) return
    const words = scene.words.sections[index] ?? ''
    const width = ctx.measureText(words).width
    if (width > Math.max(...xs) - Math.min(...xs)) return
    ctx.save()
    ctx.translate(x, y)
    ctx.globalAlpha = 0.92
    ctx.fillStyle = '#ffffff'
    plate(ctx, width + 12, 20)
    ctx.globalAlpha = 1
    ctx.fillStyle = ink.text
    ctx.fillText(words, 0, 0.5)
    ctx.restore()
  })
}

/** The height on the screen of the middle seat of the middle row. */
function middleOf(plan: Plan, rows: number[], view: View): number {
  const row = plan.rows[rows[rows.length >> 1] ?? 0]
  return row ? plan.at(row.first + (row.count >> 1)).y * view.k + view.y : 0
}
