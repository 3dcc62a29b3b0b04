// `./dev bench --plots`: figures.json as pictures for docs/explanation/performance.md.
import fs from 'node:fs'
import path from 'node:path'
import * as vega from 'vega'
import * as vegaLite from 'vega-lite'

const HERE = import.meta.dirname
const TARGET = path.join(HERE, '../../../docs/images/performance')
const { batch, growth } = JSON.parse(fs.readFileSync(path.join(HERE, 'figures.json'), 'utf8'))

// Readable on light and dark pages alike: a white ground, and nothing told by colour alone.
const shared = {
  $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
  width: 520,
  height: 300,
  background: 'white',
  padding: 12,
  config: {
    font: 'sans-serif',
    axis: { labelFontSize: 12, titleFontSize: 12 },
    legend: { labelFontSize: 12, labelLimit: 0, title: null },
  },
}
const powers = { type: 'log', nice: false }

const bytes = batch.rows.flatMap(({ visits, ...peers }) =>
  Object.entries(peers).flatMap(([peer, way]) =>
    Object.entries(way).map(([direction, count]) => ({ visits, bytes: count, series: `${peer}, ${direction}` })),
  ),
)

const plots = {
  'bytes-by-batch': {
    ...shared,
    title: { text: 'Bytes a visit, by visits in one sync', subtitle: batch.measured },
    data: { values: bytes },
    mark: { type: 'line', point: true },
    encoding: {
      x: {
        field: 'visits',
        type: 'quantitative',
        scale: powers,
        title: 'visits that each device brings',
        axis: { values: batch.rows.map(row => row.visits), grid: false },
      },
      y: {
        field: 'bytes',
        type: 'quantitative',
        scale: { type: 'log', domain: [90, 1500], nice: false },
        title: 'bytes a visit',
        axis: { values: [100, 200, 500, 1000] },
      },
      color: { field: 'series', type: 'nominal', scale: { range: ['#1b4f8f', '#1b4f8f', '#b3541e', '#b3541e'] } },
      strokeDash: { field: 'series', type: 'nominal' },
      shape: { field: 'series', type: 'nominal' },
    },
  },
  'cost-by-size': {
    ...shared,
    title: { text: 'Processor time of a visit taken in, by visits already held', subtitle: growth.measured },
    data: { values: growth.rows },
    mark: { type: 'line', point: true, color: '#1b4f8f' },
    encoding: {
      x: {
        field: 'visits',
        type: 'quantitative',
        scale: powers,
        title: 'visits in the store',
        axis: { values: growth.rows.map(row => row.visits), format: ',d', grid: false },
      },
      y: { field: 'cpu_ms', type: 'quantitative', scale: { zero: true }, title: 'milliseconds of CPU a visit' },
    },
  },
}

fs.mkdirSync(TARGET, { recursive: true })
for (const [name, spec] of Object.entries(plots)) {
  const view = new vega.View(vega.parse(vegaLite.compile(spec).spec), { renderer: 'none' })
  const file = path.join(TARGET, `${name}.svg`)
  fs.writeFileSync(file, (await view.toSVG()) + '\n')
  console.log(path.relative(process.cwd(), file))
}
