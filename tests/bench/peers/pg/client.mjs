import { main, PORT, D, V, N, all, changes } from '../../common/client.mjs'
import pg from 'pg'
const conn = async () => {
  const c = new pg.Client({ host: '127.0.0.1', port: PORT, user: 'postgres', database: 'postgres' })
  await c.connect()
  return c
}
const INS =
  "insert into visits select x->>'id', nextval('vseq'), x from jsonb_array_elements($1::jsonb) x on conflict(id) do update set seq=excluded.seq, body=excluded.body"
const pull = async (c, since, m) => {
  const r = await c.query('select seq, body from visits where seq>$1 order by seq', [since])
  for (const x of r.rows) m.set(x.body.id, x.body)
  return r.rows.length ? r.rows.at(-1).seq : since
}
let vs = [],
  since = 0
const m = new Map()
main({
  storm: {
    prepare() {
      const a = all(D, V)
      for (let d = 0; d < D; d++) vs.push(a.slice(d * V, d * V + V))
    },
    async go() {
      const r = await Promise.all(
        vs.map(async a => {
          const c = await conn()
          const n = (await c.query(INS, [JSON.stringify(a)])).rowCount
          return n
        }),
      )
      return { acked: r.reduce((s, x) => s + x, 0) }
    },
  },
  hq: {
    async go() {
      const c = await conn()
      await pull(c, 0, m)
      return [...m.values()]
    },
  },
  catchup: {
    async prepare() {
      const c = await conn()
      since = await pull(c, 0, m)
      await c.end()
    },
    async go() {
      const c = await conn()
      since = await pull(c, since, m)
      globalThis.cc = c
      return [...m.values()]
    },
    async offline() {
      await globalThis.cc.end()
    },
  },
  change: {
    async go(rep) {
      const c = await conn()
      await pull(c, 0, m)
      const a = all(D, V)
      await c.query(INS, [JSON.stringify(changes(D, V, N, rep).map(x => Object.assign(m.get(a[x.i].id), x.set)))])
      return { n: N }
    },
  },
})
