// What a team writes by hand: POST /visits (a JSON array) is one SQLite transaction that numbers its rows, WAL with
// synchronous=FULL; GET /visits?since=N pages through them. With GZIP=1 whole bodies are compressed.
import http from 'node:http'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import Database from 'better-sqlite3'

const db = new Database(process.env.DATA_DIR + '/v.db')
db.pragma('journal_mode=WAL')
db.pragma('synchronous=FULL')
db.exec(`create table if not exists visits(id text primary key, seq integer not null, body text not null) without rowid;
         create unique index if not exists visits_seq on visits(seq)`)
const upsert = db.prepare(
  'insert into visits values(?,?,?) on conflict(id) do update set seq=excluded.seq, body=excluded.body',
)
const page = db.prepare('select seq, body from visits where seq>? order by seq limit ?')
let seq = db.prepare('select coalesce(max(seq),0) s from visits').get().s
const store = db.transaction(visits => {
  for (const visit of visits) upsert.run(visit.id, ++seq, JSON.stringify(visit))
})

const gzip = promisify(zlib.gzip)
const gunzip = promisify(zlib.gunzip)

async function body(request) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  return request.headers['content-encoding'] === 'gzip' ? gunzip(bytes) : bytes
}

async function handle(request, response) {
  response.setHeader('content-type', 'application/json')
  if (request.method === 'POST') {
    const visits = JSON.parse(await body(request))
    store(visits)
    return response.end(`{"ok":${visits.length}}`)
  }
  const query = new URL(request.url, 'http://x').searchParams
  const since = +query.get('since') || 0
  const rows = page.all(since, +query.get('limit') || 1000)
  const json = `{"seq":${rows.at(-1)?.seq ?? since},"docs":[${rows.map(row => row.body).join(',')}]}`
  if (!process.env.GZIP) return response.end(json)
  response.setHeader('content-encoding', 'gzip')
  response.end(await gzip(json))
}

http
  .createServer((request, response) => handle(request, response).catch(e => response.destroy(e)))
  .listen(+process.env.PORT, '127.0.0.1')
