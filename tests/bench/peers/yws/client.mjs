// one Y.Doc per device-day; y-websocket has no acknowledgement: a second sync round trip on the same socket (in-order) is used as one
import { main, PORT, D, V, N, all, changes, until, sleep } from '../../common/client.mjs'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import WebSocket from 'ws'
import * as enc from 'lib0/encoding'
import * as sp from 'y-protocols/sync'
const open = (name, d) =>
  new WebsocketProvider(`ws://127.0.0.1:${PORT}`, name, d, { WebSocketPolyfill: WebSocket, disableBc: true })
const isS = p => until(() => p.synced, 5)
const ack = async p => {
  await isS(p)
  p.synced = false
  const e = enc.createEncoder()
  enc.writeVarUint(e, 0)
  sp.writeSyncStep1(e, p.doc)
  p.ws.send(enc.toUint8Array(e))
  await isS(p)
}
const rows = docs => docs.flatMap(d => [...d.getMap('visits').values()].map(m => m.toJSON()))
let docs = [],
  ps = []
const A = all(D, V)
const openAll = async () => {
  ps = docs.map((d, i) => open('dev-' + i, d))
  await Promise.all(ps.map(isS))
}
const closeAll = () => {
  for (const p of ps) p.destroy()
}
const full = () => docs.reduce((s, d) => s + d.getMap('visits').size, 0)
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
      ps = docs.map((d, i) => open('dev-' + i, d))
      await Promise.all(ps.map(ack))
      return { acked: D * V }
    },
  },
  hq: {
    async go() {
      docs = Array.from({ length: D }, () => new Y.Doc())
      await openAll()
      await until(() => full() === D * V, 5, 15000).catch(() => {})
      return rows(docs)
    },
  },
  catchup: {
    async prepare() {
      docs = Array.from({ length: D }, () => new Y.Doc())
      await openAll()
      await until(() => full() === D * V, 5, 30000)
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
      await until(() => full() === D * V, 5, 30000)
      for (const x of changes(D, V, N, rep)) {
        const y = docs[Math.floor(x.i / V)]
        const m = y.getMap('visits').get(A[x.i].id)
        y.transact(() => {
          for (const k in x.set) m.set(k, x.set[k])
        })
      }
      await Promise.all(ps.map(ack))
      return { n: N }
    },
  },
})
