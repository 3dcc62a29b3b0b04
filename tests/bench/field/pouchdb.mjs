// PouchDB on IndexedDB in a page of its own, at a CouchDB-compatible server.
import { randomUUID } from 'node:crypto'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { FIRST_ROWS } from './ours.mjs'
import { allocated, Phone, temporary, WAIT } from './browser.mjs'

const HERE = path.join(import.meta.dirname, 'pouchdb')
export const TUNED = { batch_size: 1000, batches_limit: 2 }

const placeId = (number) => `place:${String(number).padStart(6, '0')}`
const document = ({ place, ...visit }) => ({
  _id: `visit:${randomUUID()}`,
  type: 'visit',
  place: placeId(place),
  ...visit,
  author: 'Айгүл Сейітова',
  status: 'active',
})

export class Server {
  static async with(made) {
    const server = new Server()
    server.folder = temporary('couch')
    const env = { ...process.env, LOG: path.join(server.folder, 'log.txt') }
    // What it writes beside its log stays out of the repository.
    server.process = spawn('node', [path.join(HERE, 'server.cjs')], {
      cwd: server.folder,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const port = await new Promise((resolve) => server.process.stdout.once('data', (data) => resolve(+data)))
    server.url = `http://127.0.0.1:${port}`
    await server.ask('', 'PUT')
    await server.load(
      made.places.map(({ code, ...place }, number) => ({
        _id: placeId(number),
        external_code: code,
        ...place,
        type: 'place',
        place_type: place.type,
      })),
    )
    server.visits = made.visits.map(document)
    for (let at = 0; at < server.visits.length; at += 1000) await server.load(server.visits.slice(at, at + 1000))
    return server
  }

  async ask(name, method, body) {
    const answer = await fetch(`${this.url}/db/visits${name}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
    if (!answer.ok) throw new Error(`${method} ${name}: ${await answer.text()}`)
    return answer.json()
  }

  load(docs) {
    return this.ask('/_bulk_docs', 'POST', { docs })
  }

  /** As much as ours misses: half new visits, half further words about old ones. */
  async change({ fresh, edited }) {
    await this.load(fresh.map(document))
    const ids = this.visits.slice(-edited.length).map(({ _id }) => _id)
    const { rows } = await this.ask('/_all_docs?include_docs=true', 'POST', { keys: ids })
    await this.load(
      rows.map(({ doc }, n) => ({ ...doc, outcome: edited[n].outcome, note: `${doc.note}\n${edited[n].note}` })),
    )
  }

  end() {
    this.process.kill()
    fs.rmSync(this.folder, { recursive: true, force: true })
  }
}

const ROWS = 'document.querySelectorAll("li p").length'

export async function measure({ server, made, saves, say, profile, tuned }) {
  const figures = {}
  const least = FIRST_ROWS
  const address = `${server.url}/app/`
  let phone = await Phone.open(temporary('pouch'))
  let { page } = phone
  const watch = async (name, work) => (profile ? profile(phone, name, work) : work())

  say(tuned ? `first replication, ${TUNED.batch_size} documents a batch` : 'first replication, its own batches')
  await page.goto(address)
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready
    while (!navigator.serviceWorker.controller) await new Promise((resolve) => setTimeout(resolve, 50))
  })
  await page.evaluate(WAIT)
  await phone.slow()
  await watch('sync', async () => {
    const timed = await page.evaluate(
      async ([settings, least]) => {
        const begun = performance.now()
        const written = await pull(settings)
        const pulled = performance.now() - begun
        if (!least) return { written, pulled }
        await prepare()
        const shown = (await until(() => document.querySelectorAll('li p').length >= least)) - begun
        return { written, pulled, shown }
      },
      // With other batches the rest would be the same.
      [tuned ? TUNED : {}, tuned ? 0 : least],
    )
    figures.sync = timed.pulled
    figures.listed = timed.shown
    figures.written = timed.written
  })
  await phone.close()
  if (tuned) {
    fs.rmSync(phone.profile, { recursive: true })
    return figures
  }
  figures.disk = allocated(path.join(phone.profile, 'Default/IndexedDB'))

  say('cold open')
  phone = await Phone.open(phone.profile)
  ;({ page } = phone)
  await phone.offline(true)
  await phone.slow()
  await watch('open', async () => {
    figures.open = await phone.opened(address, `${ROWS} >= ${least}`)
  })
  await page.evaluate(WAIT)
  await page.waitForTimeout(2000)
  figures.memory = await phone.memory()
  figures.estimate = await page.evaluate(async () => (await navigator.storage.estimate()).usage)

  say('catch-up')
  await phone.offline(false)
  await server.change(made)
  await watch('catchup', async () => {
    const timed = await page.evaluate(async () => {
      const begun = performance.now()
      await pull({})
      const pulled = performance.now() - begun
      await list()
      return { pulled, shown: (await until(() => true)) - begun }
    })
    figures.catchup = timed.shown
    figures.catchupPulled = timed.pulled
  })

  say(`${saves} saves`)
  await phone.offline(true)
  const put = (docs) =>
    page.evaluate(async (docs) => {
      const took = []
      for (const doc of docs) {
        const begun = performance.now()
        await db.put(doc)
        took.push(performance.now() - begun)
      }
      return took
    }, docs)
  const own = made.own.slice(0, saves)
  await watch('save', async () => (figures.calls = await put(own.map(document))))
  await phone.quicken()
  figures.callsQuick = await put(own.map(document))
  await phone.close()
  fs.rmSync(phone.profile, { recursive: true })
  return figures
}
