import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)
import { main, PORT, D, V, N, all, changes } from '../../common/client.mjs'
const P = require('pouchdb-core')
  .plugin(require('pouchdb-adapter-memory'))
  .plugin(require('pouchdb-adapter-http'))
  .plugin(require('pouchdb-replication'))
const remote = () => new P(`http://127.0.0.1:${PORT}/visits`),
  mem = n => new P(n, { adapter: 'memory' })
const rows = async db => (await db.allDocs({ include_docs: true })).rows.map(r => r.doc)
let dbs = [],
  local
const A = all(D, V),
  BS = 1000
const pull = () => local.replicate.from(remote(), { batch_size: BS, batches_limit: 2 })
main({
  storm: {
    async prepare() {
      await new P(`http://127.0.0.1:${process.env.PORT}/visits`).info()
      for (let d = 0; d < D; d++) {
        const db = mem('d' + d)
        await db.bulkDocs(A.slice(d * V, d * V + V).map(x => ({ _id: x.id, ...x })))
        dbs.push(db)
      }
    },
    async go() {
      const r = await Promise.all(dbs.map(db => db.replicate.to(remote(), { batch_size: BS, batches_limit: 2 })))
      return { acked: r.reduce((s, x) => s + x.docs_written, 0) }
    },
  },
  hq: {
    async go() {
      local = mem('hq')
      await pull()
      return rows(local)
    },
  },
  catchup: {
    async prepare() {
      local = mem('c')
      await pull()
    },
    async go() {
      await pull()
      return rows(local)
    },
    async offline() {},
  },
  change: {
    async go(rep) {
      const r = remote()
      const c = changes(D, V, N, rep)
      const d = await r.allDocs({ keys: c.map(x => A[x.i].id), include_docs: true })
      const w = await r.bulkDocs(d.rows.map((x, i) => Object.assign(x.doc, c[i].set)))
      if (w.some(x => x.error)) throw new Error('conflict')
      return { n: N }
    },
  },
})
