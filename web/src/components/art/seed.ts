/** A small repeatable random source, so that an event always wears the same artwork. */
export function seeded(text: string): () => number {
  let h = 2166136261
  for (const char of text) h = Math.imul(h ^ (char.codePointAt(0) ?? 0), 16777619)
  return () => {
    h = (h + 0x6d2b79f5) | 0
    let t = Math.imul(h ^ (h >>> 15), 1 | h)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Colours of one artwork: ground, second ground, light, accent. */
export type Palette = readonly [string, string, string, string]

const palettes: Record<string, readonly Palette[]> = {
  cinema: [
    ['#181a34', '#2f3266', '#fbe7b2', '#e0604c'],
    ['#10222e', '#1f4658', '#f6ecc9', '#f2a541'],
  ],
  concert: [
    ['#2b1030', '#6d1f56', '#ffb199', '#f2c14e'],
    ['#131a3d', '#3a2f86', '#8fd6ff', '#ff7f8a'],
  ],
  theatre: [
    ['#3a0c12', '#8c1d25', '#ffe2a8', '#d9a441'],
    ['#2a0f1d', '#74213d', '#ffe3c2', '#e2b04a'],
  ],
  sport: [
    ['#0d3b24', '#1c6a3c', '#eaf7df', '#f2c14e'],
    ['#0c3440', '#146374', '#e5f6f2', '#ff9f5a'],
  ],
  journey: [
    ['#123a52', '#e88f5c', '#ffe0ae', '#f6b26b'],
    ['#23315c', '#d7728a', '#ffdcc4', '#f8b98b'],
  ],
}

const plain: Palette = ['#0e3b38', '#1a6a60', '#e0efeb', '#f2c14e']

/** The palette of an event: one of its kind's, by its id. */
export function paletteOf(kind: string, id: string): Palette {
  const choice = palettes[kind] ?? [plain]
  return choice[Math.floor(seeded(`${id}:palette`)() * choice.length)] ?? plain
}
