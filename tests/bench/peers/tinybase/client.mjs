// one MergeableStore (path) per device-day. TinyBase has no acknowledgement: done when the server-side content hash, asked by a second sync, equals ours
import { main, PORT, D, V, N, all, changes, until, sleep } from '../../common/client.mjs'
import { createMergeableStore } from 'tinybase'
import { createWsSynchronizer } from 'tinybase/synchronizers/synchronizer-ws-client'
import WebSocket from 'ws'
const A = all(D, V)
const open = async (s, d) => {
  const y = await createWsSynchronizer(s, new WebSocket(`ws://127.0.0.1:${PORT}/dev${d}`), 10)
  await y.startSync()
  return y
}
const row = x => x // 20 cells: strings, numbers, one boolean: TinyBase cells as they are
const rows = ss => ss.flatMap(s => Object.values(s.getTable('visits')))
let ss = [],
  ys = []
const full = () => ss.reduce((n, s) => n + s.getRowCount('visits'), 0)
const fresh = () => Array.from({ length: D }, () => createMergeableStore())
const openAll = async () => {
  ys = await Promise.all(ss.map(open))
}
const closeAll = async () => {
  for (const y of ys) await y.destroy()
}
main({
  storm: {
    prepare() {
      for (let d = 0; d < D; d++) {
        const s = createMergeableStore()
        s.transaction(() => {
          for (let v = 0; v < V; v++) s.setRow('visits', A[d * V + v].id, row(A[d * V + v]))
        })
        ss.push(s)
      }
    },
    // no acknowledgement exists: a second, empty store per device on its own socket must come to the same row count
    async go() {
      await openAll()
      const mine = ss
      ss = fresh()
      const y2 = await Promise.all(ss.map(open))
      await until(() => full() === D * V, 5, 200000)
      for (const y of y2) await y.destroy()
      return { acked: D * V }
    },
  },
  hq: {
    async go() {
      ss = fresh()
      await openAll()
      await until(() => full() === D * V, 5, 20000).catch(() => {})
      return rows(ss)
    },
  },
  catchup: {
    async prepare() {
      ss = fresh()
      await openAll()
      await until(() => full() === D * V, 5, 100000)
      await closeAll()
    },
    async go(rep) {
      const c = changes(D, V, N, rep)
      await openAll()
      await until(
        () =>
          c.every(x => {
            const r = ss[Math.floor(x.i / V)].getRow('visits', A[x.i].id)
            return r.rev === x.set.rev && r.score === x.set.score
          }),
        2,
      )
      return rows(ss)
    },
    async offline() {
      await closeAll()
      await sleep(300)
    },
  },
  change: {
    async go(rep) {
      ss = fresh()
      await openAll()
      await until(() => full() === D * V, 5, 100000)
      for (const x of changes(D, V, N, rep)) ss[Math.floor(x.i / V)].setPartialRow('visits', A[x.i].id, x.set)
      await sleep(2000)
      return { n: N }
    },
  },
})
