// The by-hand SQLite peer with whole bodies gzipped: by the client on the way up, by the server on the way down.
import * as sqlite from '../sqlite/peer.mjs'
export const version = sqlite.version + ', whole bodies gzipped both ways (zlib level 6)'
const gzipped = spec => ({ ...spec, env: { ...spec.env, GZIP: '1' } })
export const start = at => gzipped(sqlite.start(at))
export const client = () => gzipped({ cmd: 'node', args: ['client.mjs'], cwd: sqlite.here, env: {} })
