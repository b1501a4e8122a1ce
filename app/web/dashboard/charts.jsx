import { useEffect, useMemo, useRef, useState } from "preact/hooks"
import { bucketName, count, money, short } from "./formats.js"
import { Missing, Trouble } from "./parts.jsx"
import { bars, LEFT, line, RIGHT, scale, ticks } from "./scales.js"
import { BUCKETS, counted } from "./words.js"

const HEIGHT = 150
const NAMES_HEIGHT = 24
const USUAL_WIDTH = 600

/** Totals, what came and went, and what it adds up to: one unit at a time, as units do not add. */
export function Charts({ accounts, summary, refusal, again, by, go }) {
  const [wanted, setWanted] = useState(null)
  const unit = summary?.units.find(one => one.unit === wanted) ?? fullest(summary?.units ?? [])
  return (
    <section aria-labelledby="charts">
      <h2 id="charts">Credit over time</h2>
      <Trouble refusal={refusal} again={again} />
      <Missing sources={summary?.sources ?? []} accounts={accounts} what="Totals and charts" />
      {!summary && !refusal && <p class="hint">Reading whole histories …</p>}
      {summary && !unit && <p class="hint">There is nothing to draw.</p>}
      {unit && (
        <>
          <div class="choices">
            <fieldset class="units">
              <legend>Unit</legend>
              {summary.units.map(one => (
                <label key={one.unit} class="tick">
                  <input
                    type="radio"
                    name="unit"
                    checked={one === unit}
                    onChange={() => setWanted(one.unit)}
                  />
                  {one.unit} <small>{counted(count(one.count), "entry", "entries")}</small>
                </label>
              ))}
            </fieldset>
            <label class="field">
              By
              <select value={by} onChange={event => go({ by: event.currentTarget.value })}>
                {Object.entries(BUCKETS).map(([name, text]) => (
                  <option key={name} value={name}>
                    {text}
                  </option>
                ))}
              </select>
            </label>
          </div>
          <Drawing unit={unit} by={by} />
        </>
      )}
    </section>
  )
}

const fullest = units =>
  units.reduce((most, one) => (most && most.count >= one.count ? most : one), null)

function Drawing({ unit, by }) {
  const [at, setAt] = useState(null)
  const said = amount => money({ ...amount, unit: unit.unit, unitKind: unit.unitKind })
  const { series } = unit
  const names = useMemo(() => series.map(point => bucketName(by, point.start)), [series, by])
  const drawn = useMemo(() => floats(series), [series])
  const flow = { title: `In and out by ${BUCKETS[by].toLowerCase()}, ${unit.unit}` }
  const sum = { title: `Cumulative balance, ${unit.unit}` }
  const frame = { names, at, setAt }
  const point = series[at]
  return (
    <>
      <dl class="totals">
        <Total name="In" text={said(unit.received)} />
        <Total name="Out" text={said(unit.spent)} />
        <Total name="Net" text={said(unit.net)} />
      </dl>
      <p class="readout" aria-hidden="true">
        {point && `${names[at]}: in ${said(point.received)}, out ${said(point.spent)}, `}
        {point && `then ${said(point.cumulative)}`}
      </p>
      <div class="drawings">
        <Plot
          {...frame}
          {...flow}
          values={[...drawn.received, ...drawn.spent]}
          told={flowTold(series, names, said)}
        >
          {scaled => (
            <>
              <path class="bar in" d={bars(drawn.received, scaled)} />
              <path class="bar out" d={bars(drawn.spent, scaled)} />
            </>
          )}
        </Plot>
        <Plot {...frame} {...sum} values={drawn.cumulative} told={sumTold(series, names, said)}>
          {scaled => <path class="line" d={line(drawn.cumulative, scaled)} />}
        </Plot>
      </div>
      <Figures series={series} names={names} by={by} said={said} />
    </>
  )
}

const Total = ({ name, text }) => (
  <div>
    <dt>{name}</dt>
    <dd>{text}</dd>
  </div>
)

const floats = series => ({
  received: series.map(point => Number(point.received.amount)),
  spent: series.map(point => -Number(point.spent.amount)),
  cumulative: series.map(point => Number(point.cumulative.amount)),
})

// A unit is there because it has an entry, and so a bucket.
const span = names => `From ${names[0]} to ${names.at(-1)}`
const flowTold = (series, names) =>
  `${span(names)}: bars up for what came in, down for what went out.`
const sumTold = (series, names, said) =>
  `${span(names)}: the sum of all changes, in the end ${said(series.at(-1).cumulative)}.`

function Plot({ title, told, values, names, at, setAt, children }) {
  const [box, width] = useWidth()
  const lines = ticks(values)
  const scaled = scale(lines, names.length, width, HEIGHT)
  const aim = event =>
    setAt(scaled.index(event.clientX - event.currentTarget.getBoundingClientRect().left))
  return (
    <figure ref={box}>
      <figcaption>{title}</figcaption>
      <svg
        role="img"
        aria-label={`${title}. ${told} The figures follow as a table.`}
        width={width}
        height={HEIGHT + NAMES_HEIGHT + 10}
        onPointerMove={aim}
        onPointerLeave={() => setAt(null)}
      >
        {lines.map(value => (
          <g key={value}>
            <path
              class={value ? "rule" : "rule zero"}
              d={`M${LEFT} ${scaled.y(value)}H${width - RIGHT}`}
            />
            <text x={LEFT - 6} y={scaled.y(value)} dy="0.32em" text-anchor="end">
              {short(value)}
            </text>
          </g>
        ))}
        {at !== null && (
          <rect class="aim" x={scaled.left(at)} y="0" width={scaled.each} height={scaled.bottom} />
        )}
        {children(scaled)}
        {names.map(
          (name, index) =>
            index % scaled.every === 0 && (
              <text
                key={index}
                x={scaled.middle(index)}
                y={scaled.bottom + 18}
                text-anchor="middle"
              >
                {name}
              </text>
            ),
        )}
      </svg>
    </figure>
  )
}

function Figures({ series, names, by, said }) {
  return (
    <details>
      <summary>The figures as a table</summary>
      <div class="scrolled" tabIndex={0} role="region" aria-label="The figures as a table">
        <table>
          <thead>
            <tr>
              <th scope="col">{BUCKETS[by]}</th>
              <th scope="col">In</th>
              <th scope="col">Out</th>
              <th scope="col">Net</th>
              <th scope="col">Cumulative</th>
            </tr>
          </thead>
          <tbody>
            {series.map((point, index) => (
              <tr key={point.start}>
                <th scope="row">{names[index]}</th>
                <td>{said(point.received)}</td>
                <td>{said(point.spent)}</td>
                <td>{said(point.net)}</td>
                <td>{said(point.cumulative)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  )
}

/** Returns what to measure, and its width in pixels as it is now. */
function useWidth() {
  const box = useRef(null)
  const [width, setWidth] = useState(USUAL_WIDTH)
  useEffect(() => {
    const observer = new ResizeObserver(([{ contentRect }]) =>
      setWidth(Math.max(contentRect.width, 1)),
    )
    observer.observe(box.current)
    return () => observer.disconnect()
  }, [])
  return [box, width]
}
