// Ourselves: the release binary as an operator starts it, and a native client built on the client SDK. What that client
// is given and what it owes is in ../../README.md, "The aralau client".
import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { write } from '../../common/workload.mjs'

const repository = path.join(path.dirname(new URL(import.meta.url).pathname), '../../../..')
const built = process.env.CARGO_TARGET_DIR
  ? path.resolve(repository, process.env.CARGO_TARGET_DIR)
  : path.join(repository, 'target')
const aralau = process.env.ARALAU_BIN ?? path.join(built, 'release/aralau')
const benchClient = path.join(built, 'release/aralau-bench-client')
const git = args => execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim()
export const version = `aralau ${git(['describe', '--always', '--dirty'])}, SQLite synchronous=FULL`
const shape = Object.fromEntries(['D', 'V', 'N'].filter(key => process.env[key]).map(key => [key, +process.env[key]]))
let workload // written per run beside the data folder, for this run's D and V

export const init = ({ dir }) => {
  write((workload = dir + '-workload.json'), shape)
  execFileSync(aralau, ['admin', '--data', dir, 'sample'], { stdio: ['ignore', 'ignore', 'inherit'] })
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
  env: { ARALAU_BIN: aralau, WORKLOAD: workload },
})
