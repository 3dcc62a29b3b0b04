import path from 'node:path'
const here = path.dirname(new URL(import.meta.url).pathname)
export const version = 'samod 0.16.0 server (tokio, FilesystemStorage); client automerge-repo 2.5.6 (JS)'
export const start = ({ dir, port }) => ({
  cmd: path.join(here, 'target/release/samod-peer'),
  args: [],
  cwd: here,
  env: { PORT: port, DATA_DIR: dir + '/d' },
})
export const client = () => ({
  cmd: 'node',
  args: ['client.mjs'],
  env: { VIA_STATE: '1' },
  cwd: path.join(here, '../automerge'),
})
