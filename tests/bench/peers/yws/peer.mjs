import path from 'node:path'
const here = path.dirname(new URL(import.meta.url).pathname)
export const version = 'y-websocket 2.1.0 server (bin/server.cjs) + y-leveldb 0.2.0, yjs 13'
export const start = ({ dir, port }) => ({
  cmd: 'node',
  args: ['node_modules/y-websocket/bin/server.cjs'],
  cwd: here,
  env: { PORT: port, HOST: '127.0.0.1', YPERSISTENCE: dir + '/ldb' },
})
