import { execFileSync, spawnSync } from 'node:child_process'
import path from 'node:path'
const here = path.dirname(new URL(import.meta.url).pathname),
  B = '/usr/lib/postgresql/15/bin/'
export const version = 'PostgreSQL 15.18 (Debian 12), node-postgres 8; fsync=on synchronous_commit=on (defaults)'
export const multi = true,
  stopSignal = 'SIGINT'
export const init = ({ dir }) => {
  execFileSync('chown', ['postgres', dir])
  execFileSync(
    'setpriv',
    [
      '--reuid=postgres',
      '--regid=postgres',
      '--clear-groups',
      B + 'initdb',
      '-D',
      dir + '/pg',
      '-A',
      'trust',
      '-U',
      'postgres',
      '-E',
      'UTF8',
      '--locale=C.UTF-8',
    ],
    { stdio: 'ignore' },
  )
}
let P
export const start = ({ dir, port }) => (
  (P = port),
  {
    cmd: 'setpriv',
    args: [
      '--reuid=postgres',
      '--regid=postgres',
      '--clear-groups',
      B + 'postgres',
      '-D',
      dir + '/pg',
      '-p',
      '' + port,
      '-h',
      '127.0.0.1',
      '-k',
      dir,
    ],
    cwd: dir,
    env: {},
    afterReady: async () => {
      for (let i = 0; i < 300; i++) {
        const r = spawnSync('psql', [
          '-h',
          '127.0.0.1',
          '-p',
          '' + port,
          '-U',
          'postgres',
          '-qc',
          'create sequence if not exists vseq; create table if not exists visits(id text primary key, seq bigint not null, body jsonb not null); create index if not exists visits_seq on visits(seq); checkpoint',
        ])
        if (r.status === 0) return
        await new Promise(r => setTimeout(r, 50))
      }
      throw new Error('pg not ready')
    },
  }
)
export const disk = ({ port }) => {
  const q = s => +execFileSync('psql', ['-h', '127.0.0.1', '-p', '' + port, '-U', 'postgres', '-Atc', s]).toString()
  return { pg_relation_b: q("select pg_total_relation_size('visits')") / q('select count(*) from visits') }
}
