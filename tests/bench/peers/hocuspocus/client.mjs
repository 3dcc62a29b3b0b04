// one Y.Doc per device-day (V visits each), visits = Y.Map of nested Y.Map
import { main, PORT, D, V, N, all, changes, until, sleep } from '../../common/client.mjs'
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider'
import * as Y from 'yjs'
import WebSocket from 'ws'
const sock = (o = {}) =>
  new HocuspocusProviderWebsocket({ url: `ws://127.0.0.1:${PORT}`, WebSocketPolyfill: WebSocket, ...o })
const open = (ws, name, document) => {
  const p = new HocuspocusProvider({ websocketProvider: ws, name, document })
  p.attach()
  return p
}
const synced = p => until(() => p.isSynced && !p.hasUnsyncedChanges, 5)
const rows = docs => docs.flatMap(d => [...d.getMap('visits').values()].map(m => m.toJSON()))
let docs = [],
  ps = [],
  ws
const A = all(D, V)
const openAll = async () => {
  ws = sock()
  ps = docs.map((d, i) => open(ws, 'dev-' + i, d))
  await Promise.all(ps.map(synced))
}
const closeAll = () => {
  for (const p of ps) p.destroy()
  ws.destroy()
}
main({
  storm: {
    prepare() {
      for (let d = 0; d < D; d++) {
        const y = new Y.Doc()
        const m = y.getMap('visits')
        for (let v = 0; v < V; v++)
          y.transact(() => {
            const x = A[d * V + v]
            const t = new Y.Map()
            for (const k in x) t.set(k, x[k])
            m.set(x.id, t)
          })
        docs.push(y)
      }
    },
    async go() {
      ps = docs.map((d, i) => open(sock(), 'dev-' + i, d))
      await Promise.all(ps.map(synced))
      return { acked: D * V }
    },
  },
  hq: {
    async go() {
      docs = Array.from({ length: D }, () => new Y.Doc())
      await openAll()
      return rows(docs)
    },
  },
  catchup: {
    async prepare() {
      docs = Array.from({ length: D }, () => new Y.Doc())
      await openAll()
      closeAll()
    },
    async go(rep) {
      const c = changes(D, V, N, rep)
      await openAll()
      await until(
        () => c.every(x => docs[Math.floor(x.i / V)].getMap('visits').get(A[x.i].id)?.get('rev') === x.set.rev),
        2,
      )
      return rows(docs)
    },
    async offline() {
      closeAll()
      await sleep(300)
    },
  },
  change: {
    async go(rep) {
      docs = Array.from({ length: D }, () => new Y.Doc())
      await openAll()
      for (const x of changes(D, V, N, rep)) {
        const y = docs[Math.floor(x.i / V)]
        const m = y.getMap('visits').get(A[x.i].id)
        y.transact(() => {
          for (const k in x.set) m.set(k, x.set[k])
        })
      }
      await sleep(50)
      await Promise.all(ps.map(synced))
      return { n: N }
    },
  },
})
