import path from 'node:path'
const here = path.dirname(new URL(import.meta.url).pathname)
// variant '' = the published npm sync server (automerge-repo 1.2.1); 'v2' = the same 20 lines with automerge-repo 2.5.6
export const version =
  'automerge-repo-sync-server 0.2.8 (automerge-repo 1.2.1) / v2: automerge-repo 2.5.6; client automerge-repo 2.5.6'
export const start = ({ dir, port, variant }) => ({
  cmd: 'node',
  args: [
    variant === 'v2'
      ? path.join(here, 'server2.mjs')
      : path.join(here, 'node_modules/@automerge/automerge-repo-sync-server/src/index.js'),
  ],
  cwd: here,
  env: { PORT: port, DATA_DIR: dir + '/d' },
})
