import path from 'node:path'
const here = path.dirname(new URL(import.meta.url).pathname)
export const version =
  '@hocuspocus/server 4.7.0 + extension-sqlite 4.7.0, provider 4.8.0, yjs 13.6.33 (node 20; asks node>=22)'
export const start = ({ dir, port }) => ({
  cmd: 'node',
  args: ['server.mjs'],
  cwd: here,
  env: { PORT: port, DATA_DIR: dir },
})
