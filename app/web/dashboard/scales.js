/**
 * Where things are in a chart. Here alone amounts become floats: a pixel is not a cent.
 */

export const LEFT = 52
export const RIGHT = 8
const TOP = 10
const LINES = 4
// The names of buckets next to each other need so much room.
const NAME_WIDTH = 84

/** Returns round numbers, with zero, from at most the least value to at least the greatest. */
export function ticks(values) {
  const low = values.reduce((least, value) => Math.min(least, value), 0)
  const high = values.reduce((most, value) => Math.max(most, value), 0)
  const rough = (high - low || 1) / LINES
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].find(factor => factor * power >= rough) * power
  const first = Math.floor(low / step)
  const length = Math.ceil(high / step) - first + 1
  return Array.from({ length }, (_, index) => (first + index) * step)
}

/** Returns what turns a value, and the index of a bucket, into pixels. */
export function scale(lines, count, width, height) {
  const [low, high] = [lines[0], lines.at(-1)]
  const each = (width - LEFT - RIGHT) / Math.max(count, 1)
  return {
    each,
    left: index => LEFT + index * each,
    middle: index => LEFT + (index + 0.5) * each,
    y: value => TOP + ((high - value) / (high - low || 1)) * height,
    bottom: TOP + height,
    index: x => Math.min(Math.max(Math.floor((x - LEFT) / each), 0), count - 1),
    /** Every how many buckets there is room for a name. */
    every: Math.max(1, Math.ceil(NAME_WIDTH / each)),
  }
}

/** Returns the outline of bars, each from zero to its value. */
export const bars = (values, { left, each, y }) =>
  values
    .map((value, index) => [value, left(index) + each * 0.15])
    .filter(([value]) => value)
    .map(([value, x]) => `M${x} ${y(0)}h${each * 0.7}V${y(value)}h${-each * 0.7}z`)
    .join("")

/** Returns a line through values; a value that stands alone is a dash. */
export const line = (values, { middle, y }) =>
  values.length === 1
    ? `M${middle(0) - 6} ${y(values[0])}h12`
    : values.map((value, index) => `${index ? "L" : "M"}${middle(index)} ${y(value)}`).join("")
