// The same list as its users build it: places by their ids, and a view that has the last visit of each.
navigator.serviceWorker.register('sw.js')
const db = new PouchDB('visits', { auto_compaction: false })
const VIEW = 'last_visit'
const FIRST_ROWS = 12

const last = {
  _id: `_design/${VIEW}`,
  views: {
    [VIEW]: {
      map: `function (doc) {
        if (doc.type === 'visit') emit(doc.place, { at: doc.started_at, outcome: doc.outcome })
      }`,
      reduce: `function (keys, values) {
        var newest = values[0]
        for (var i = 1; i < values.length; i++) if (values[i].at > newest.at) newest = values[i]
        return newest
      }`,
    },
  },
}

async function list() {
  const [places, visited] = await Promise.all([
    db.allDocs({ startkey: 'place:', endkey: 'place:\uffff', include_docs: true }),
    db.query(VIEW, { group: true }),
  ])
  const newest = new Map(visited.rows.map(({ key, value }) => [key, value]))
  const rows = places.rows.map(({ doc }) => ({ address: doc.address, id: doc._id, ...newest.get(doc._id) }))
  // Who was not seen for the longest time comes first.
  rows.sort((one, other) => (one.at ?? 0) - (other.at ?? 0))
  document.querySelector('ul').replaceChildren(
    ...rows.slice(0, FIRST_ROWS).map(({ address, at, outcome }) => {
      const row = document.createElement('li')
      const words = document.createElement('p')
      row.append(address, words)
      words.textContent = at ? `${outcome} ${new Date(at).toLocaleDateString('ru')}` : '—'
      return row
    }),
  )
  return rows.length
}

async function pull(settings) {
  const { docs_written } = await db.replicate.from(`${location.origin}/db/visits`, settings)
  return docs_written
}

/** The view is made, as after every first replication. */
async function prepare() {
  await db.put(last)
  return list()
}

// A page that was here before begins with its list.
db.get(last._id).then(list, () => undefined)
