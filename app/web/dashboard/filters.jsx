import { useEffect, useState } from "preact/hooks"
import { filters, NO_FILTERS } from "./place.js"
import { counted, DIRECTIONS, KINDS, STATUSES } from "./words.js"

const AMOUNT = {
  inputmode: "decimal",
  size: 10,
  pattern: "-?[0-9]+([.][0-9]+)?",
  title: "a number such as -12.50",
}

/** What the lists and charts are narrowed to; each change is in force at once. */
export function Filters({ place, go, accounts, units }) {
  const set = filters(place)
  const providers = [
    ...new Set([...accounts.values()].map(account => account.provider.name)),
  ].sort()
  const said = name => event => {
    const field = event.currentTarget
    if (field.reportValidity()) go({ [name]: field.value || null })
  }
  const tick = name => event => {
    const { value, checked } = event.currentTarget
    go({ [name]: checked ? [...place[name], value] : place[name].filter(one => one !== value) })
  }
  const isOfChanges = place.list === "changes"
  const choice = { place, tick }
  return (
    <details class="filters">
      <summary>Filters{set > 0 && ` (${counted(set, "is", "are")} set)`}</summary>
      <form onSubmit={event => event.preventDefault()}>
        <Writing name="From" type="date" value={place.from} said={said("from")} />
        <Writing name="To, included" type="date" value={place.to} said={said("to")} />
        {isOfChanges && (
          <Choice
            name="Direction"
            value={place.direction}
            options={DIRECTIONS}
            said={said("direction")}
          />
        )}
        <Choice name="Unit" value={place.unit} options={named(units)} said={said("unit")} />
        <Writing name="Least amount" {...AMOUNT} value={place.min} said={said("min")} />
        <Writing name="Largest amount" {...AMOUNT} value={place.max} said={said("max")} />
        <Writing name="Text" type="search" value={place.text} said={said("text")} />
        <Ticks legend="Providers" name="provider" options={named(providers)} {...choice} />
        {isOfChanges ? (
          <Ticks legend="Kinds" name="kind" options={KINDS} {...choice} />
        ) : (
          <Ticks legend="Statuses" name="status" options={STATUSES} {...choice} />
        )}
        <button type="button" disabled={!set} onClick={() => go(NO_FILTERS)}>
          Set none
        </button>
      </form>
    </details>
  )
}

const named = values => Object.fromEntries(values.map(value => [value, value]))

function Choice({ name, value, options, said }) {
  return (
    <label class="field">
      {name}
      <select value={value ?? ""} onChange={said}>
        <option value="">All</option>
        {Object.entries(options).map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}

/** A field that is in force once it is left or Enter pressed; what is written stays until then. */
function Writing({ name, value, said, ...field }) {
  const [written, setWritten] = useState(value ?? "")
  useEffect(() => setWritten(value ?? ""), [value])
  return (
    <label class="field">
      {name}
      <input
        {...field}
        value={written}
        onInput={event => setWritten(event.currentTarget.value)}
        onChange={said}
      />
    </label>
  )
}

function Ticks({ legend, name, options, place, tick }) {
  return (
    <fieldset>
      <legend>{legend}</legend>
      {Object.entries(options).map(([value, text]) => (
        <label key={value} class="tick">
          <input
            type="checkbox"
            value={value}
            checked={place[name].includes(value)}
            onChange={tick(name)}
          />
          {text}
        </label>
      ))}
    </fieldset>
  )
}
