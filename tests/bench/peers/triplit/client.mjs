import { main, PORT, D, V, N, all, changes, until, sleep } from '../../common/client.mjs'
import jwt from 'jsonwebtoken'
import WebSocket from 'ws'
globalThis.WebSocket = WebSocket
import { TriplitClient } from '@triplit/client'
const token = jwt.sign({ 'x-triplit-token-type': 'secret', 'x-triplit-project-id': 'p' }, 'secret')
const mk = () =>
  new TriplitClient({ serverUrl: `http://127.0.0.1:${PORT}`, token, autoConnect: false, logLevel: 'error' })
const A = all(D, V)
let devs = [],
  c,
  rows = new Map()
const clean = x => {
  const o = {}
  for (const k in x) o[k] = x[k]
  return o
}
const subAll = () =>
  new Promise((res, rej) =>
    c.subscribe(
      c.query('visits'),
      r => {
        for (const x of r) rows.set(x.id, x)
      },
      rej,
      { onRemoteFulfilled: () => res() },
    ),
  )
main({
  storm: {
    async prepare() {
      for (let d = 0; d < D; d++) {
        const t = mk()
        await t.transact(async tx => {
          for (let v = 0; v < V; v++) await tx.insert('visits', A[d * V + v])
        })
        devs.push(t)
      }
    },
    async go() {
      await Promise.all(
        devs.map(
          (t, d) =>
            new Promise(res => {
              let n = 0
              for (let v = 0; v < V; v++)
                t.onEntitySyncSuccess('visits', A[d * V + v].id, () => {
                  if (++n === V) res()
                })
              t.connect()
            }),
        ),
      )
      return { acked: D * V }
    },
  },
  hq: {
    async go() {
      c = mk()
      c.connect()
      await subAll()
      await until(() => rows.size >= D * V, 5, 10000).catch(() => {})
      return [...rows.values()].map(clean)
    },
  },
  catchup: {
    async prepare() {
      c = mk()
      c.connect()
      await subAll()
      await until(() => rows.size >= D * V, 5)
      await sleep(500)
      c.disconnect()
    },
    async go(rep) {
      const w = changes(D, V, N, rep)
      c.connect()
      await until(
        () =>
          w.every(x => {
            const r = rows.get(A[x.i].id)
            return r?.rev === x.set.rev && r.score === x.set.score
          }),
        2,
      )
      return [...rows.values()].map(clean)
    },
    async offline() {
      await sleep(500)
      c.disconnect()
      await sleep(300)
    },
  },
  change: {
    async go(rep) {
      c = mk()
      c.connect()
      await subAll()
      const w = changes(D, V, N, rep)
      let n = 0
      const p = new Promise(res => {
        for (const x of w)
          c.onEntitySyncSuccess('visits', A[x.i].id, () => {
            if (++n === N) res()
          })
      })
      await c.transact(async tx => {
        for (const x of w)
          await tx.update('visits', A[x.i].id, e => {
            Object.assign(e, x.set)
          })
      })
      await p
      return { n: N }
    },
  },
})
