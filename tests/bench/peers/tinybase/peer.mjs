import path from 'node:path'
const here = path.dirname(new URL(import.meta.url).pathname)
export const version = 'tinybase 10.0.1 WsServer + file persister (one MergeableStore a device), ws 8'
export const start = ({ dir, port }) => ({
  cmd: 'node',
  args: ['server.mjs'],
  cwd: here,
  env: { PORT: port, DATA_DIR: dir },
})
