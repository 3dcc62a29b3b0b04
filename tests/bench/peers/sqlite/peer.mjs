import path from 'node:path'
export const here = path.dirname(new URL(import.meta.url).pathname)
export const version = 'node http + better-sqlite3 12.11.1, WAL synchronous=FULL'
export const start = ({ dir, port }) => ({
  cmd: 'node',
  args: ['server.mjs'],
  cwd: here,
  env: { PORT: port, DATA_DIR: dir },
})
