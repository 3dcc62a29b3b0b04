import path from 'node:path'
const here = path.dirname(new URL(import.meta.url).pathname)
export const version = 'express-pouchdb 4.2.0 + pouchdb-node (leveldb); client PouchDB 9 memory adapter + replication'
export const start = ({ dir, port }) => ({
  cmd: 'node',
  args: ['server.cjs'],
  cwd: here,
  env: { PORT: port, DATA_DIR: dir },
})
