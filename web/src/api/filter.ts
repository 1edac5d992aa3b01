/** Cuts a text to so many bytes of UTF-8, the measure of the server's limits, without splitting a character. */
export function cutToBytes(text: string, bytes: number): string {
  let left = bytes
  let cut = ''
  for (const char of text) {
    left -= new TextEncoder().encode(char).length
    if (left < 0) break
    cut += char
  }
  return cut
}

/**
 * The moment a day (YYYY-MM-DD) begins where the reader is, or the next one when it ends a
 * range; undefined when it is no day. A bare date would mean the day in UTC.
 */
export function edgeOfDay(day: string, ends: boolean): string | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day)
  if (!match) return undefined
  const at = new Date(Number(match[1]), Number(match[2]) - 1, Number(match[3]) + (ends ? 1 : 0))
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString()
}
