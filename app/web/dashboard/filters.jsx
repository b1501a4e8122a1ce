import { filters, NO_FILTERS } from "./place.js"
import { counted, DIRECTIONS, KINDS, STATUSES } from "./words.js"

const DECIMAL = "-?[0-9]+([.][0-9]+)?"

/** What the lists and charts are narrowed to; each change is in force at once. */
export function Filters({ place, go, accounts, units }) {
  const set = filters(place)
  const providers = [...new Set([...accounts.values()].map(account => account.provider.name))].sort()
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
        <label class="field">
          From
          <input type="date" value={place.from ?? ""} onChange={said("from")} />
        </label>
        <label class="field">
          To, included
          <input type="date" value={place.to ?? ""} onChange={said("to")} />
        </label>
        {isOfChanges && (
          <Choice name="Direction" value={place.direction} options={DIRECTIONS} said={said("direction")} />
        )}
        <Choice name="Unit" value={place.unit} options={named(units)} said={said("unit")} />
        <Amount name="Least amount" value={place.min} said={said("min")} />
        <Amount name="Largest amount" value={place.max} said={said("max")} />
        <label class="field">
          Text
          <input type="search" value={place.text ?? ""} onChange={said("text")} />
        </label>
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

function Amount({ name, value, said }) {
  return (
    <label class="field">
      {name}
      <input
        inputmode="decimal"
        size={10}
        value={value ?? ""}
        pattern={DECIMAL}
        title="a number such as -12.50"
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
          <input type="checkbox" value={value} checked={place[name].includes(value)} onChange={tick(name)} />
          {text}
        </label>
      ))}
    </fieldset>
  )
}
