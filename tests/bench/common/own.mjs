// Our own programs, as `./dev bench` builds them, and the workload's shape for them.
import path from 'node:path'

const repository = path.join(path.dirname(new URL(import.meta.url).pathname), '../../..')
const built = process.env.CARGO_TARGET_DIR
  ? path.resolve(repository, process.env.CARGO_TARGET_DIR)
  : path.join(repository, 'target')
export const aralau = process.env.ARALAU_BIN ?? path.join(built, 'release/aralau')
export const benchClient = path.join(built, 'release/aralau-bench-client')
export const shape = Object.fromEntries(
  ['D', 'V', 'N'].filter(key => process.env[key]).map(key => [key, +process.env[key]]),
)
