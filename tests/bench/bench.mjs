// `./dev bench`: the reconnect storm, ours beside what others run, in turn on this machine. See README.md.
import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { BUILT, ROOT } from './harness/processes.mjs'
import { quick } from './instructions.mjs'

const REPOSITORY = path.join(ROOT, '../..')
const PAGE = path.join(REPOSITORY, 'docs/explanation/performance.md')
const PAGE_HEADER = `# Performance

Measured with \`./dev bench\`; how, and what each column means, is in \`tests/bench/README.md\`. Trust the ratios, bytes and
disk; wall times and absolute CPU belong to the machine of that day. The newest section is the last.
`
const BASELINE = 'sqlite'
const CLIENT = 'aralau-bench-client'
const TICK_MS = 10

const help = `usage: ./dev bench --growth [--visits N] [--rate N] [--seconds N] [--data FOLDER]
       ./dev bench --device [--visits N] [--saves N] [--runs N]
       ./dev bench --console [--visits N]
       ./dev bench --field [--quick] [--json] [--runs N] [--visits N]
       ./dev bench --plots
       ./dev bench [--quick [--accept]] [--runs N] [--scale DxV] [--peers a,b,…] [--record | --no-record]

A reconnect storm: D devices upload V offline visits each, then a fresh headquarters downloads all.
By default 50x100, three runs of aralau, sqlite, sqlite-gzip, triplit and hocuspocus in turn, and the
table is added to docs/explanation/performance.md.
  --quick      count the instructions of single steps and compare with the committed counts: more than
               5 % worse fails. --accept commits the new ones to tests/bench/instructions.json
  --growth     fill a store through the real reconcile, and tell what a visit costs and how fast questions are
               answered at each power of ten
  --device     what a phone feels: saving a visit, opening a store, receiving a beat's history
  --field      the inspectors' app in a browser, beside PouchDB: first sync, opening, saving, catching up, room
  --console    fill a store with a million visits, and tell how fast headquarters' page works over it
  --plots      draw tests/bench/plots/figures.json into docs/images/performance
  --peers      also pg, pouchdb, yws, tinybase, automerge, samod, once installed by hand (tests/bench/README.md)
  --no-record  leave docs/explanation/performance.md alone`

const options = read(process.argv.slice(2))
prepare(options)
const measured = measure(options)
const report = table(measured, options)
console.log('\n' + report)
const failed = Object.keys(measured).filter(peer => measured[peer].some(run => !run.ok))
if (failed.length) {
  console.error(`\nfailed: ${failed.join(', ')} (logs: tests/bench/results/). Nothing recorded.`)
  process.exit(1)
}
if (options.record) add(report)

function read(args) {
  const flags = {
    quick: 'boolean',
    accept: 'boolean',
    plots: 'boolean',
    runs: 'string',
    scale: 'string',
    peers: 'string',
    record: 'boolean',
    'no-record': 'boolean',
    help: 'boolean',
  }
  let values
  try {
    const spec = Object.fromEntries(Object.entries(flags).map(([flag, type]) => [flag, { type }]))
    ;({ values } = parseArgs({ args, options: spec }))
  } catch (e) {
    console.error(`${e.message}\n\n${help}`)
    process.exit(2)
  }
  if (values.help) {
    console.log(help)
    process.exit(0)
  }
  if (values.plots) {
    const cwd = path.join(ROOT, 'plots')
    const quiet = ['--ignore-scripts', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error']
    step('install the drawing library (npm)', 'npm', ['install', ...quiet], { cwd })
    step('draw', 'node', ['draw.mjs'], { cwd })
    process.exit(0)
  }
  if (values.quick) process.exit(quick({ accept: values.accept ?? false }))
  const scale = /^(\d+)x(\d+)$/.exec(values.scale ?? '50x100')
  const runs = +(values.runs ?? 3)
  if (!scale || !(runs >= 1)) {
    console.error(`--scale wants DxV, --runs a number\n\n${help}`)
    process.exit(2)
  }
  return {
    devices: +scale[1],
    visits: +scale[2],
    runs,
    peers: (values.peers ?? 'aralau,sqlite,sqlite-gzip,triplit,hocuspocus').split(','),
    record: values.record ?? !values['no-record'],
  }
}

function step(what, command, args, { cwd = REPOSITORY, env = {} } = {}) {
  console.error(`· ${what}`)
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2], env: { ...process.env, ...env } })
  if (status === 0) return
  console.error(
    `\nfailed (${error?.message ?? `exit ${status}`}): (cd ${path.relative('.', cwd) || '.'} && ${command} ${args.join(' ')})`,
  )
  process.exit(1)
}

function prepare({ peers }) {
  for (const peer of peers)
    if (!fs.existsSync(path.join(ROOT, 'peers', peer.split(':')[0], 'peer.mjs'))) {
      console.error(`no peer "${peer}"; there are: ${fs.readdirSync(path.join(ROOT, 'peers')).join(', ')}`)
      process.exit(2)
    }
  const source = path.join(ROOT, 'harness/proxy.rs')
  const proxy = path.join(BUILT, 'proxy')
  fs.mkdirSync(BUILT, { recursive: true })
  if (!fs.existsSync(proxy) || fs.statSync(proxy).mtimeMs < fs.statSync(source).mtimeMs)
    step('build the counting proxy', 'rustc', ['--edition', '2024', '-O', '-o', proxy, source])
  if (peers.includes('aralau')) buildAralau()
  if (peers.some(peer => ['sqlite', 'sqlite-gzip', 'triplit', 'hocuspocus'].includes(peer))) installPeers()
}

function buildAralau() {
  const metadata = ['metadata', '--no-deps', '--format-version', '1']
  const { packages } = JSON.parse(
    execFileSync('cargo', metadata, { cwd: REPOSITORY, encoding: 'utf8', maxBuffer: 1 << 26 }),
  )
  const binaries = packages.flatMap(p => p.targets.filter(t => t.kind.includes('bin')).map(t => t.name))
  for (const wanted of ['aralau', CLIENT])
    if (!binaries.includes(wanted)) {
      console.error(`the workspace has no binary "${wanted}" yet; without it: ./dev bench --peers sqlite,sqlite-gzip`)
      process.exit(1)
    }
  const args = ['build', '--release', '--workspace', '--bin', 'aralau', '--bin', CLIENT]
  step('build aralau and its client (release)', 'cargo', args)
}

// Their one native module is compiled where the headers of this node are at hand: that needs no download.
function installPeers() {
  const modules = path.join(ROOT, 'node_modules')
  const compiled = path.join(modules, 'better-sqlite3/build/Release/better_sqlite3.node')
  const wanted = path.join(ROOT, 'package.json')
  if (fs.existsSync(compiled) && fs.statSync(compiled).mtimeMs > fs.statSync(wanted).mtimeMs) return
  const quiet = ['--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error']
  step('install the peers (npm)', 'npm', ['install', '--ignore-scripts', ...quiet], { cwd: ROOT })
  const node = path.dirname(path.dirname(fs.realpathSync(process.execPath)))
  const headers = fs.existsSync(path.join(node, 'include/node/node.h'))
  const env = headers ? { npm_config_nodedir: node, npm_config_build_from_source: 'true' } : {}
  step('build better-sqlite3 (about a minute)', 'npm', ['rebuild', 'better-sqlite3', '--loglevel=error'], {
    cwd: ROOT,
    env,
  })
  const now = new Date()
  fs.utimesSync(compiled, now, now)
}

// Peer after peer within a run, so that what else the machine does falls on all alike.
function measure({ peers, runs, devices, visits }) {
  const measured = Object.fromEntries(peers.map(peer => [peer, []]))
  for (let run = 1; run <= runs; run++)
    for (const peer of peers) {
      console.error(`· run ${run} of ${runs}: ${peer}, ${devices} devices × ${visits} visits`)
      const env = { ...process.env, D: devices, V: visits }
      const child = spawnSync('node', ['run.mjs', peer, 'storm', '1'], { cwd: ROOT, env, encoding: 'utf8' })
      const line = child.stdout.trim().split('\n').at(-1)
      const figures = line.startsWith('{') ? JSON.parse(line) : { error: child.stderr.trim().split('\n').at(-1) }
      if (!figures.ok) console.error(`  ${figures.error ?? 'headquarters did not get what the devices wrote'}`)
      measured[peer].push(figures)
    }
  return measured
}

function median(numbers) {
  const sorted = numbers.filter(Number.isFinite).sort((a, b) => a - b)
  return sorted.length ? sorted[(sorted.length - 1) >> 1] : NaN
}

function table(measured, { devices, visits, runs }) {
  const total = devices * visits
  const cell = (number, digits = 0) => (Number.isFinite(number) ? number.toFixed(digits) : '–')
  const rows = Object.entries(measured).map(([peer, all]) => {
    const good = all.map((figures, run) => ({ ...figures, run })).filter(figures => figures.ok)
    if (!good.length) return `| ${peer} | ${all[0].error ?? 'wrong content'} | | | | | | | |`
    const of = key => median(good.map(figures => figures[key]))
    const ratio = (key, to) => {
      const against = good.map(figures => figures[key] / measured[to]?.[figures.run]?.[key])
      return cell(median(against), 2)
    }
    return `| ${[
      peer,
      cell((of('srv_cpu_s') * 1000) / total, 3),
      ratio('srv_cpu_s', BASELINE),
      `${cell(of('up_b'))} / ${cell(of('hq_b_down'))}`,
      `${ratio('up_b', 'sqlite-gzip')} / ${ratio('hq_b_down', 'sqlite-gzip')}`,
      cell(of('disk_alloc_b')),
      cell(of('srv_peak_rss_mb')),
      `${cell(of('upload_s'), 2)} / ${cell(of('hq_s'), 2)}`,
      `${good.length} of ${all.length}`,
    ].join(' | ')} |`
  })
  const git = args => execFileSync('git', ['-C', REPOSITORY, ...args], { encoding: 'utf8' }).trim()
  const date = new Date().toISOString().slice(0, 10)
  const tickShare = Math.round((TICK_MS / (median((measured[BASELINE] ?? []).map(f => f.srv_cpu_s)) * 1000)) * 100)
  const rough = tickShare > 10 ? ` **Too small to compare CPU: one tick is ${tickShare} % of ${BASELINE}'s.**` : ''
  return `## ${date}: reconnect storm, ${devices} devices × ${visits} visits, commit ${git(['describe', '--always', '--dirty'])}

${os.cpus().length} cores (${os.cpus()[0].model.trim()}), load ${os.loadavg()[0].toFixed(1)}, node ${process.versions.node}; median of ${runs} run(s), peers in turn; ratios are of the same run.${rough}

| peer | server CPU ms/visit | × ${BASELINE} | bytes/visit up / down to HQ | × sqlite-gzip up / down | disk B/visit | peak RSS MB | upload / download s | content right |
|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}

${Object.entries(measured)
  .map(([peer, all]) => `- ${peer}: ${all[0].version ?? 'did not run'}`)
  .join('\n')}
`
}

function add(report) {
  const before = fs.existsSync(PAGE) ? fs.readFileSync(PAGE, 'utf8').trimEnd() + '\n' : PAGE_HEADER
  fs.mkdirSync(path.dirname(PAGE), { recursive: true })
  fs.writeFileSync(PAGE, `${before}\n${report}`)
  console.error(`\nadded to ${path.relative(REPOSITORY, PAGE)}`)
}
