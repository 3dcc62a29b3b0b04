// `./dev bench --field`: the inspector's app in a browser, beside PouchDB in the same browser. See ../README.md.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { brakes, SLOWER } from './browser.mjs'
import { content } from './content.mjs'
import * as ours from './ours.mjs'
import * as pouchdb from './pouchdb.mjs'
import { profileInto } from './profile.mjs'

const help = `usage: ./dev bench --field [--quick] [--json] [--runs N] [--visits N] [--saves N] [--app FOLDER] [--profile FOLDER] [--only ours|pouchdb]

What an inspector's phone feels, beside PouchDB on IndexedDB: the first sync of a beat, opening the app with no
network, saving a visit, catching up; and what it takes of disk and memory. Processors are slowed to a quarter.
  --quick    1,000 visits and one run, to try it
  --json     one JSON object to stdout in place of the table
  --runs     so many times each, in turn (3)
  --visits   so many in the beat of 2,000 places (10,000)
  --saves    so many saves by the device alone; by the screen a fifth of them (100)
  --app      take the app's files from a folder, such as client-sdk/field/dist, not from the binary
  --profile  write Chromium's CPU profiles of each step to a folder (such a run is slower)
  --only     measure one of the two`

const options = read()
const say = (text) => console.error(`· ${text}`)
const binary = process.env.ARALAU_BINARY
if (!binary) throw new Error('ARALAU_BINARY says which binary to measure; ./dev bench --field sets it')
const made = (turn) => content({ places: 2000, visits: options.visits, changes: 300 }, turn)
const seeded = path.join(
  process.env.ARALAU_BENCH_FOLDER ?? os.tmpdir(),
  `${new Date().toISOString().slice(0, 10)}-${options.visits}`,
)
const measured = await measure()
console.log(options.json ? JSON.stringify(measured) : table(measured))

function read() {
  const flags = { quick: 'boolean', json: 'boolean', help: 'boolean' }
  for (const name of ['runs', 'visits', 'saves', 'app', 'profile', 'only']) flags[name] = 'string'
  const spec = Object.fromEntries(Object.entries(flags).map(([flag, type]) => [flag, { type }]))
  let values
  try {
    ;({ values } = parseArgs({ options: spec }))
  } catch (error) {
    console.error(`${error.message}\n\n${help}`)
    process.exit(2)
  }
  if (values.help) {
    console.log(help)
    process.exit(0)
  }
  return {
    ...values,
    runs: +(values.runs ?? (values.quick ? 1 : 3)),
    visits: +(values.visits ?? (values.quick ? 1000 : 10_000)),
    saves: +(values.saves ?? (values.quick ? 20 : 100)),
  }
}

async function measure() {
  const { app, runs, saves, profile, only } = options
  const all = { ours: [], pouchdb: [], tuned: [] }
  if (only !== 'pouchdb') {
    say('write the beat, once a day')
    await ours.seed(seeded, made(0), app, say)
  }
  // Each as soon as it is there: a browser that ends takes only its own with it.
  const keep = (who, figures) => {
    all[who].push(figures)
    fs.appendFileSync(path.join(path.dirname(seeded), 'measured.jsonl'), JSON.stringify({ who, figures }) + '\n')
  }
  let server
  if (only !== 'ours') server = await pouchdb.Server.with(made(0))
  for (let run = 0; run < runs; run++) {
    const telling = (who) => (text) => say(`run ${run + 1} of ${runs}, ${who}: ${text}`)
    const into = (who) => profile && profileInto(path.join(profile, who))
    const shared = { made: made(run), saves, app }
    if (only !== 'pouchdb')
      keep('ours', await ours.measure({ ...shared, seeded, say: telling('ours'), profile: into('ours') }))
    if (only === 'ours') continue
    const theirs = { ...shared, server, say: telling('PouchDB'), profile: into('pouchdb') }
    keep('pouchdb', await pouchdb.measure(theirs))
    keep('tuned', await pouchdb.measure({ ...theirs, profile: undefined, tuned: true }))
    if (run + 1 < runs) console.error(table(about(all, run + 1)))
  }
  server?.end()
  return about(all, runs)
}

function about(all, runs) {
  const machine = `${os.cpus().length} cores (${os.cpus()[0].model.trim()}), load ${os.loadavg()[0].toFixed(1)}`
  return { visits: options.visits, places: 2000, runs, machine, workersSlowed: brakes(), ...all }
}

function quantile(numbers, part) {
  const sorted = numbers.filter(Number.isFinite).sort((one, other) => one - other)
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] : NaN
}

/** Of few runs: between the two in the middle. */
function middle(numbers) {
  const sorted = numbers.filter(Number.isFinite).sort((one, other) => one - other)
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
}

function table({ ours, pouchdb, tuned, visits, places, runs, machine, workersSlowed }) {
  const s = (ms) => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`
  const ms = (ms) => `${ms.toFixed(0)} ms`
  const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`
  const kb = (bytes) => `${(bytes / 1e3).toFixed(0)} kB`
  const many = (list, of, unit) => {
    const found = list.map(of).filter(Number.isFinite)
    if (!found.length) return '–'
    const range = [Math.min(...found), Math.max(...found)].map(unit)
    return range[0] === range[1] ? range[0] : `${unit(middle(found))} (${range.join(' to ')})`
  }
  // Theirs against ours of the same run.
  const ratio = (theirs, of, own) => {
    const times = (number) => number.toFixed(1)
    return `${many(
      ours.map((run, n) => theirs[n] && of(theirs[n]) / own(run)),
      (number) => number,
      times,
    )} ×`
  }
  const row = (what, unit, own, theirs, of, goal) =>
    `| ${[what, many(ours, own, unit), theirs ? many(theirs, of, unit) : '–', theirs ? ratio(theirs, of, own) : '–', goal].join(' | ')} |`
  const median = (key) => (run) => quantile(run[key] ?? [], 0.5)
  const slowest = (key) => (run) => quantile(run[key] ?? [], 0.99)
  return [
    `${places} places and ${visits} visits in one beat, ${runs} run${runs > 1 ? 's' : ''}; ${machine}; main thread ${SLOWER} times slower, ${
      workersSlowed ? 'workers as much' : '**workers not: no cgroup to be had**'
    }.`,
    '',
    '| | ours | PouchDB | PouchDB / ours | goal |',
    '|---|---:|---:|---:|---|',
    row(
      'first sync, list shown; PouchDB: all there, no view yet',
      s,
      (r) => r.sync,
      pouchdb,
      (r) => r.sync,
      '10 s, 3 ×',
    ),
    row(
      '… with batches of 1,000',
      s,
      (r) => r.sync,
      tuned,
      (r) => r.sync,
      '3 ×',
    ),
    row(
      '… and its view made, list shown',
      s,
      (r) => r.sync,
      pouchdb,
      (r) => r.listed,
      '3 ×',
    ),
    row(
      'cold open with no network, list shown',
      s,
      (r) => r.open,
      pouchdb,
      (r) => r.open,
      '2.0 s, 3 ×',
    ),
    row('save, device alone, median', ms, median('calls'), pouchdb, median('calls'), '50 ms, 3 ×'),
    row('… p99', ms, slowest('calls'), pouchdb, slowest('calls'), ''),
    row('… not slowed, median', ms, median('callsQuick'), pouchdb, median('callsQuick'), ''),
    row('… not slowed, p99', ms, slowest('callsQuick'), pouchdb, slowest('callsQuick'), ''),
    row('save by the screen: Done to disk, median', ms, median('saves'), null, null, '50 ms'),
    row('… p99', ms, slowest('saves'), null, null, ''),
    row('… Done to the list painted, median', ms, median('shown'), null, null, ''),
    row('typing 200 letters: longest task', ms, (r) => r.typingSlow.longest, null, null, '16 ms'),
    row(
      '… tasks beyond 16 ms',
      (n) => n.toFixed(0),
      (r) => r.typingSlow.over,
      null,
      null,
      '0',
    ),
    row('… not slowed, longest task', ms, (r) => r.typing.longest, null, null, '16 ms'),
    row(
      '… tasks beyond 16 ms',
      (n) => n.toFixed(0),
      (r) => r.typing.over,
      null,
      null,
      '0',
    ),
    row(
      'catch-up of 300 changes, list shown',
      s,
      (r) => r.catchup,
      pouchdb,
      (r) => r.catchup,
      '3 ×',
    ),
    row(
      '… PouchDB: all there, view not yet',
      s,
      (r) => r.catchup,
      pouchdb,
      (r) => r.catchupPulled,
      '3 ×',
    ),
    row(
      'disk, allocated',
      mb,
      (r) => r.disk,
      pouchdb,
      (r) => r.disk,
      '2 ×',
    ),
    row(
      '… as the browser tells (with the app itself)',
      mb,
      (r) => r.estimate,
      pouchdb,
      (r) => r.estimate,
      '',
    ),
    row(
      'memory of the page',
      mb,
      (r) => r.memory,
      pouchdb,
      (r) => r.memory,
      '',
    ),
    row('core, Brotli', kb, (r) => r.core, null, null, '700 kB'),
    row('all else, Brotli', kb, (r) => r.shell, null, null, '120 kB'),
  ].join('\n')
}
