// Numbers and times as the viewer writes them. Amounts stay the decimal strings that they came as.

const LOCALE = navigator.language
// No more than browsers take; an amount of the API's has fewer.
const MOST_DIGITS = 100

const kept = new Map()
const formatter = (kind, options) => {
  const key = kind.name + JSON.stringify(options)
  if (!kept.has(key)) kept.set(key, new kind(LOCALE, options))
  return kept.get(key)
}

/**
 * Returns an amount with its unit, every digit as it is: `Intl` takes the string, no float of it.
 *
 * With `isSigned` there is a sign before what is above zero too.
 */
export function money({ amount, unit, unitKind }, isSigned = false) {
  const digits = Math.min(amount.split(".")[1]?.length ?? 0, MOST_DIGITS)
  const signDisplay = isSigned ? "exceptZero" : "auto"
  if (unitKind === "CURRENCY" && /^[A-Z]{3}$/.test(unit)) {
    const currency = { style: "currency", currency: unit, signDisplay }
    const least = formatter(Intl.NumberFormat, currency).resolvedOptions().minimumFractionDigits
    const most = Math.max(least, digits)
    return formatter(Intl.NumberFormat, { ...currency, maximumFractionDigits: most }).format(amount)
  }
  const plain = { signDisplay, minimumFractionDigits: digits, maximumFractionDigits: digits }
  return `${formatter(Intl.NumberFormat, plain).format(amount)} ${unit}`
}

/** Tells whether a decimal string is zero, above it or below it: 0, 1 or -1. */
export const sign = amount => (/[1-9]/.test(amount) ? (amount.startsWith("-") ? -1 : 1) : 0)

export const count = number => formatter(Intl.NumberFormat, {}).format(number)

/** Returns a number for the side of a chart, where there is no room for all its digits. */
export const short = number =>
  formatter(Intl.NumberFormat, { notation: "compact", maximumSignificantDigits: 3 }).format(number)

export const moment = instant =>
  formatter(Intl.DateTimeFormat, { dateStyle: "medium", timeStyle: "short" }).format(
    new Date(instant),
  )

export const day = instant =>
  formatter(Intl.DateTimeFormat, { dateStyle: "medium" }).format(new Date(instant))

/** Returns the name of the bucket that begins at an instant. */
export function bucketName(bucket, instant) {
  const start = new Date(instant)
  const year = formatter(Intl.DateTimeFormat, { year: "numeric" }).format(start)
  if (bucket === "YEAR") return year
  if (bucket === "QUARTER") return `Q${Math.floor(start.getMonth() / 3) + 1} ${year}`
  return formatter(Intl.DateTimeFormat, { month: "short", year: "numeric" }).format(start)
}

export const timeZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone
