// Ourselves: the release binary as an operator starts it, and a native client built on the client SDK. What that client
// is given and what it owes is in ../../README.md, "The aralau client".
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { aralau, benchClient, shape } from '../../common/own.mjs'
import { write } from '../../common/workload.mjs'

const repository = path.join(path.dirname(new URL(import.meta.url).pathname), '../../../..')
const git = args => execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim()
export const version = `aralau ${git(['describe', '--always', '--dirty'])}, SQLite synchronous=FULL`
let workload // written per run beside the data folder, for this run's D and V

export const init = ({ dir }) => {
  write((workload = dir + '-workload.json'), shape)
  // A beat for each device, as in the field: what an inspector uploads is not downloaded by all the others.
  const table = (name, lines) => {
    const file = `${dir}-${name}.csv`
    writeFileSync(file, lines.join('\n') + '\n')
    return file
  }
  const beats = table('beats', ['code,name', ...Array.from({ length: shape.D ?? 50 }, (_, d) => `beat-${d},Beat ${d}`)])
  const places = table('places', ['beat,address'])
  const staff = table('staff', ['name,beat'])
  const tables = ['--beats', beats, '--places', places, '--staff', staff]
  execFileSync(aralau, ['admin', '--data', dir, 'load', ...tables], { stdio: ['ignore', 'ignore', 'inherit'] })
  for (const file of [beats, places, staff]) rmSync(file)
}
export const start = ({ dir, port }) => ({
  cmd: aralau,
  args: ['serve', '--data', dir, '--listen', `127.0.0.1:${port}`],
  cwd: dir,
  env: {},
})
export const client = () => ({
  cmd: benchClient,
  args: [],
  env: { WORKLOAD: workload },
})
/** As a server does with what is a month old, now. */
export const seal = ({ dir }) =>
  execFileSync(aralau, ['admin', '--data', dir, 'compact', '--older-than-days', '0'], { stdio: 'ignore' })
