import path from 'node:path'
import { benchClient, shape } from '../../common/own.mjs'
import { write } from '../../common/workload.mjs'
export const here = path.dirname(new URL(import.meta.url).pathname)
export const version = 'node http + better-sqlite3 12.11.1, WAL synchronous=FULL'
export const start = ({ dir, port }) => ({
  cmd: 'node',
  args: ['server.mjs'],
  cwd: here,
  env: { PORT: port, DATA_DIR: dir },
})
// A crowd sends the same requests that `client.mjs` sends, from the program that sends ours.
let workload
export const init = ({ dir }) => {
  if (process.env.CROWD) write((workload = dir + '-workload.json'), shape)
}
export const client = ({ mode }) =>
  process.env.CROWD && mode === 'storm'
    ? { cmd: benchClient, args: [], env: { CROWD: 'json', WORKLOAD: workload } }
    : { cmd: 'node', args: ['client.mjs'], cwd: here, env: {} }
