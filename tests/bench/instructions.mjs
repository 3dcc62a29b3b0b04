// `./dev bench --quick`: instructions of single steps, against the last committed ones. A count differs between runs by
// two percent or so, where times on a busy machine differ tenfold: so it can fail a change.
import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { ROOT } from './harness/processes.mjs'

const REPOSITORY = path.join(ROOT, '../..')
const BUILT = path.join(path.resolve(REPOSITORY, process.env.CARGO_TARGET_DIR ?? 'target'), 'release')
const COMMITTED = path.join(ROOT, 'instructions.json')
const WORSE = 1.05
const STEPS = {
  take: { count: 5, units: 500, unit: 'visit taken by the server' },
  give: { count: 8, units: 8, unit: 'answer with a beat of 212 rows' },
  list: { count: 20, units: 20, unit: 'page of 100 visits' },
  search: { count: 20, units: 20, unit: 'page found by a word' },
  save: { count: 50, units: 50, unit: 'visit saved on a device' },
}

export function quick({ accept }) {
  if (spawnSync('valgrind', ['--version']).status !== 0) {
    console.error('valgrind is missing: sudo apt-get install valgrind')
    return 1
  }
  const build = ['build', '--release', '-p', 'aralau-bench-steps']
  execFileSync('cargo', build, { cwd: REPOSITORY, stdio: ['ignore', 2, 2] })
  const before = fs.existsSync(COMMITTED) ? JSON.parse(fs.readFileSync(COMMITTED, 'utf8')) : {}
  const now = Object.fromEntries(Object.keys(STEPS).map(step => [step, perUnit(step)]))
  console.log('| step | instructions for each | committed | ratio |\n|---|---|---|---|')
  let failed = false
  for (const [step, count] of Object.entries(now)) {
    const ratio = count / before[step]
    failed ||= ratio > WORSE
    const shown = Number.isFinite(ratio) ? `${before[step]} | ${ratio.toFixed(3)}` : '– | –'
    console.log(`| ${step}: ${STEPS[step].unit} | ${count} | ${shown} |`)
  }
  if (accept) fs.writeFileSync(COMMITTED, JSON.stringify(now, null, 2) + '\n')
  else if (failed) console.error(`\nMore than ${Math.round((WORSE - 1) * 100)} % worse. If that is the price of something: ./dev bench --quick --accept, and say why.`)
  return failed && !accept ? 1 : 0
}

function perUnit(step) {
  console.error(`· ${step}`)
  const { count, units } = STEPS[step]
  return Math.round((instructions(step, count) - instructions(step, 0)) / units)
}

function instructions(step, count) {
  const valgrind = ['--tool=callgrind', '--callgrind-out-file=/dev/null', path.join(BUILT, 'aralau-bench-steps'), step, count]
  const { status, stderr } = spawnSync('valgrind', valgrind.map(String), { encoding: 'utf8', maxBuffer: 1 << 26 })
  const collected = /Collected : (\d+)/.exec(stderr)
  if (status !== 0 || !collected) throw new Error(`${step} ${count} failed: ${stderr.split('\n').slice(-12).join('\n')}`)
  return +collected[1]
}
