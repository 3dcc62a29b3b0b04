import path from 'node:path'
const here = path.dirname(new URL(import.meta.url).pathname)
export const version = '@triplit/server 1.1.8 (sqlite storage), @triplit/client 1.0.50'
export const start = ({ dir, port }) => ({
  cmd: 'node',
  args: ['server.mjs'],
  cwd: here,
  env: { PORT: port, LOCAL_DATABASE_URL: dir + '/t.db', JWT_SECRET: 'secret', PROJECT_ID: 'p' },
})
