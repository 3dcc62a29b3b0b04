// The inspector's app as the binary serves it, at a real server; and phones without a screen that write what it is to receive.
import { execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import path from 'node:path'
import zlib from 'node:zlib'
import { allocated, Phone, temporary, WAIT } from './browser.mjs'
import { BEAT, csv, WRITERS } from './content.mjs'

const BINARY = process.env.ARALAU_BINARY
const ROOT = '/field/'
const INSPECTOR = 'Ержан Ахметов'
/** What one request of a writer's brings. */
const CHUNK = 500

const freePort = () =>
  new Promise((resolve) => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })

class Server {
  static async on(data, app) {
    const server = new Server()
    server.data = data
    server.port = await freePort()
    server.url = `http://127.0.0.1:${server.port}`
    if (app) server.#stand(app, await freePort())
    await server.start()
    return server
  }

  /** The app's files from a folder, as built, in place of those in the binary. */
  #stand(app, port) {
    const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm' }
    const behind = this.port
    this.url = `http://127.0.0.1:${port}`
    this.front = http.createServer((asked, answer) => {
      const { pathname } = new URL(asked.url, 'http://app')
      if (pathname.startsWith(ROOT)) {
        const name = pathname.slice(ROOT.length)
        const file = path.join(app, fs.existsSync(path.join(app, name)) && name ? name : 'index.html')
        const body = fs.readFileSync(file)
        const packed = asked.headers['accept-encoding'] === 'br'
        answer.writeHead(200, {
          'content-type': types[path.extname(file)] ?? 'application/octet-stream',
          ...(packed && { 'content-encoding': 'br' }),
        })
        answer.end(packed ? zlib.brotliCompressSync(body) : body)
        return
      }
      const { url, method, headers } = asked
      const passed = http.request({ port: behind, host: '127.0.0.1', path: url, method, headers }, (heard) => {
        answer.writeHead(heard.statusCode, heard.headers)
        heard.pipe(answer)
      })
      passed.on('error', () => answer.destroy())
      asked.pipe(passed)
    })
    this.front.listen(port, '127.0.0.1')
  }

  async start() {
    const address = `127.0.0.1:${this.port}`
    this.process = spawn(BINARY, ['serve', '--data', this.data, '--listen', address], { stdio: 'ignore' })
    for (let tries = 0; tries < 200; tries++) {
      const answer = await fetch(`http://${address}/readyz`).catch(() => null)
      if (answer?.ok) return
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    throw new Error(`the server does not answer: ${BINARY} serve --data ${this.data}`)
  }

  async stop() {
    const ended = new Promise((resolve) => this.process.once('exit', resolve))
    this.process.kill('SIGTERM')
    await ended
  }

  async end() {
    await this.stop()
    this.front?.close()
  }

  admin(...args) {
    return execFileSync(BINARY, ['admin', '--data', this.data, '--json', ...args], { encoding: 'utf8' })
  }

  code(name) {
    const made = this.admin('enroll', '--beat', BEAT, '--inspector', name)
    return JSON.parse(made.trim().split('\n').at(-1)).code
  }

  /** The names of the app's files, from its service worker. */
  async files() {
    const text = await (await fetch(this.url + ROOT + 'sw.js')).text()
    const list = /\[(?:[`"'][^`"']+[`"'],?)+\]/.exec(text)?.[0] ?? ''
    const names = [...list.matchAll(/[`"']([^`"']+)[`"']/g)].map(([, name]) => name)
    if (!names.length) throw new Error(`${this.url}${ROOT} is not the app: build aralau with it, or give --app FOLDER`)
    return names
  }
}

/** The device's own worker, in a page without the app: calls by name. */
async function bare(phone, server) {
  const worker = (await server.files()).find((name) => /assets\/worker-.*\.js$/.test(name))
  const blank = `${server.url}/blank-page-of-the-benchmark`
  await phone.context.route(blank, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }))
  await phone.page.goto(blank)
  await phone.page.evaluate((url) => {
    const worker = new Worker(url, { type: 'module' })
    const waiting = new Map()
    let last = 0
    worker.onmessage = ({ data }) => {
      const one = waiting.get(data.number)
      waiting.delete(data.number)
      if (data.failure) one?.reject(new Error(`${data.failure.code}: ${data.failure.message}`))
      else one?.resolve(data.value)
    }
    globalThis.device = new Proxy(
      {},
      {
        get: (_, name) =>
          name === 'then'
            ? undefined
            : (...args) =>
                new Promise((resolve, reject) => {
                  waiting.set(++last, { resolve, reject })
                  worker.postMessage({ number: last, name, args })
                }),
      },
    )
    globalThis.log = async (forms) => {
      const places = new Map((await device.round()).map(({ id, external_code }) => [external_code, id]))
      for (const { code, ...form } of forms) {
        const id = await device.beginDraft({ ...form, place: places.get(code) })
        await device.logDraft(id)
      }
    }
  }, ROOT + worker)
}

async function writer(server, name) {
  const phone = await Phone.open(temporary('writer'))
  await bare(phone, server)
  await phone.page.evaluate(([url, code]) => device.enroll(url, code), [server.url, server.code(name)])
  await phone.page.evaluate(() => device.sync(0))
  return phone
}

const forms = ({ places }, visits) => visits.map(({ place, ...form }) => ({ ...form, code: places[place].code }))

async function leave(phone) {
  await phone.close()
  fs.rmSync(phone.profile, { recursive: true, force: true })
}

/** A data folder with the beat and its history, written by phones. Made once a day and kept: dates are relative to today. */
export async function seed(folder, made, app, say) {
  if (fs.existsSync(path.join(folder, 'made'))) return
  fs.rmSync(folder, { recursive: true, force: true })
  fs.mkdirSync(path.dirname(folder), { recursive: true })
  const tables = temporary('tables')
  const table = (name, rows) => {
    fs.writeFileSync(path.join(tables, name), csv(rows))
    return path.join(tables, name)
  }
  const beats = table('beats.csv', [
    ['code', 'name'],
    [BEAT, 'Участок № 900'],
  ])
  const people = table('staff.csv', [['name', 'beat'], ...[...WRITERS, INSPECTOR].map((name) => [name, BEAT])])
  const places = table('places.csv', [
    ['beat', 'address', 'external_code', 'place_type', 'lat', 'lon'],
    ...made.places.map(({ address, code, type, lat, lon }) => [BEAT, address, code, type, lat, lon]),
  ])
  execFileSync(BINARY, [
    'admin',
    '--data',
    folder,
    '--json',
    'load',
    '--beats',
    beats,
    '--staff',
    people,
    '--places',
    places,
  ])
  fs.rmSync(tables, { recursive: true })
  const server = await Server.on(folder, app)
  const share = Math.ceil(made.visits.length / WRITERS.length)
  for (const [number, name] of WRITERS.entries()) {
    const phone = await writer(server, name)
    const own = forms(made, made.visits.slice(number * share, (number + 1) * share))
    for (let at = 0; at < own.length; at += CHUNK) {
      await phone.page.evaluate(
        async (some) => {
          await log(some)
          await device.sync(0)
        },
        own.slice(at, at + CHUNK),
      )
      say(`${number * share + Math.min(at + CHUNK, own.length)} visits written`)
    }
    await leave(phone)
  }
  await server.end()
  fs.writeFileSync(path.join(folder, 'made'), '')
}

/** Sizes as they travel, in bytes. */
async function sizes(server) {
  const sum = { core: 0, shell: 0 }
  for (const name of [...(await server.files()), 'sw.js']) {
    const kind = name.endsWith('.wasm') ? 'core' : /(\.js|\.css|\.html|\.\/)$/.test(name) ? 'shell' : null
    if (kind)
      sum[kind] += await new Promise((resolve, reject) => {
        const url = new URL(ROOT + name, server.url)
        http.get(url, { headers: { 'accept-encoding': 'br' } }, (answer) => {
          if (answer.headers['content-encoding'] !== 'br') reject(new Error(`${url} does not come in Brotli`))
          let length = 0
          answer.on('data', (part) => (length += part.length)).on('end', () => resolve(length))
        })
      })
  }
  return sum
}

/** What fits on the screen. */
export const FIRST_ROWS = 12

const rows = (least) => `document.querySelectorAll('main li .address').length >= ${least}`

export async function measure({ seeded, made, app, saves, say, profile }) {
  const data = temporary('data')
  fs.cpSync(seeded, data, { recursive: true })
  fs.rmSync(path.join(data, 'made'))
  const server = await Server.on(data, app)
  const least = FIRST_ROWS
  const figures = { ...(await sizes(server)) }
  const other = await writer(server, WRITERS[3])

  let phone = await Phone.open(temporary('phone'))
  let { page } = phone
  const watch = async (name, work) => (profile ? profile(phone, name, work) : work())

  say('first sync')
  await page.goto(server.url + ROOT)
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready
    while (!navigator.serviceWorker.controller) await new Promise((resolve) => setTimeout(resolve, 50))
  })
  await page.locator('input.code').fill(server.code(INSPECTOR))
  await page.evaluate(WAIT)
  await phone.slow()
  await watch('sync', async () => {
    figures.sync = await page.evaluate(`(async () => {
      const begun = performance.now()
      document.querySelector('form button[type=submit]').click()
      return await until(() => document.querySelector('.line.good') && ${rows(least)}) - begun
    })()`)
  })
  figures.round = await page.evaluate(() => document.querySelector('main p[role=status]').textContent)

  say('cold open')
  await phone.close()
  await server.stop()
  figures.disk = stored(phone.profile)
  phone = await Phone.open(phone.profile)
  ;({ page } = phone)
  await phone.offline(true)
  await phone.slow()
  await watch('open', async () => {
    // A page hears of it only once it has a process of its own.
    figures.open = await phone.opened(server.url + ROOT, rows(least), async () => {
      await phone.offline(false)
      await phone.offline(true)
    })
  })
  if (await page.evaluate(() => navigator.onLine)) throw new Error('the page took itself to be online')
  await page.evaluate(WAIT)
  await page.waitForTimeout(2000)
  figures.memory = await phone.memory()
  figures.estimate = await page.evaluate(async () => (await navigator.storage.estimate()).usage)

  say('catch-up')
  await server.start()
  const first = await page.evaluate(() => document.querySelector('main li .address').textContent)
  const place = made.places.findIndex(({ address }) => address === first)
  await write(other, made, place)
  await watch('catchup', async () => {
    await page.evaluate(`{
      const shown = () => [...document.querySelectorAll('main li a')].find((one) => one.textContent.includes(${JSON.stringify(first)}))?.textContent
      const before = shown()
      const button = document.querySelector('.line button')
      globalThis.caught = new Promise((resolve) => addEventListener('online', resolve, { once: true })).then(async () => {
        const begun = performance.now()
        button.click()
        return await until(() => shown() !== before && !button.disabled && document.querySelector('.line.good')) - begun
      })
    }; 0`)
    await phone.offline(false)
    figures.catchup = await page.evaluate(() => globalThis.caught)
  })

  // Each takes seconds until the list is back.
  const byScreen = Math.max(10, saves / 5)
  say(`${byScreen} saves by the screen`)
  await phone.offline(true)
  await page.evaluate(() => {
    // Done goes back to the list as soon as the visit is on the disk.
    const { replaceState } = history
    history.replaceState = function (...args) {
      globalThis.durable?.(performance.now())
      return replaceState.apply(this, args)
    }
  })
  await watch('save', async () => {
    const took = await page.evaluate(
      async (visits) => {
        const took = []
        for (const { note } of visits) {
          document.querySelector('main li button.plain').click()
          await until(() => document.querySelector('.note textarea'))
          document.querySelector('input[type=radio]').click()
          const area = document.querySelector('.note textarea')
          area.value = note
          area.dispatchEvent(new Event('input', { bubbles: true }))
          await until(() => !document.querySelector('footer button.primary')?.disabled)
          await new Promise((resolve) => setTimeout(resolve, 300))
          const kept = new Promise((resolve) => (globalThis.durable = resolve))
          const begun = performance.now()
          document.querySelector('footer button.primary').click()
          const durable = await kept
          globalThis.durable = undefined
          const shown = await until(
            () => document.querySelector('main li .address') && !document.querySelector('.note'),
          )
          took.push([durable - begun, shown - begun])
        }
        return took
      },
      made.own.slice(0, byScreen),
    )
    figures.saves = took.map(([durable]) => durable)
    figures.shown = took.map(([, shown]) => shown)
  })

  say('typing')
  const note = made.own
    .map((visit) => visit.note)
    .join(' ')
    .slice(0, 200)
  const type = async () => {
    await page.locator('main li button.plain').first().click()
    await page.locator('.note textarea').click()
    await page.waitForTimeout(1500)
    const tasks = await phone.tasks(() => page.keyboard.type(note, { delay: 60 }))
    await page.locator('header a').first().click()
    await page.locator('main li button.plain').first().waitFor()
    return { longest: tasks[0], over: tasks.filter((ms) => ms > 16).length }
  }
  await watch('typing', async () => (figures.typingSlow = await type()))
  await phone.quicken()
  figures.typing = await type()
  await phone.close()

  say(`${saves} saves by the device alone`)
  phone = await Phone.open(phone.profile)
  await bare(phone, server)
  const calls = (some) =>
    phone.page.evaluate(async (visits) => {
      const [place] = await device.round()
      const took = []
      for (const visit of visits) {
        const form = { ...visit, place: place.id }
        const id = await device.beginDraft({ place: place.id })
        const begun = performance.now()
        await device.keepDraft(id, form)
        await device.logDraft(id)
        took.push(performance.now() - begun)
      }
      return took
    }, some)
  const own = made.own.slice(0, saves)
  figures.callsQuick = await calls(own)
  await phone.slow()
  figures.calls = await calls(own)
  figures.reads = await phone.page.evaluate(async () => {
    const took = {}
    for (const name of ['status', 'round', 'drafts']) {
      const begun = performance.now()
      await device[name]()
      took[name] = performance.now() - begun
    }
    return took
  })
  await leave(phone)
  await leave(other)
  await server.end()
  fs.rmSync(data, { recursive: true })
  return figures
}

const stored = (profile) =>
  ['File System', 'IndexedDB'].reduce((sum, name) => sum + allocated(path.join(profile, 'Default', name)), 0)

/** What the phone misses meanwhile: half new visits, the first one at `place`, half further words about old ones. */
function write(other, made, place) {
  const fresh = made.fresh.map((visit, n) => (n === 0 ? { ...visit, place, started_at: Date.now() } : visit))
  return other.page.evaluate(
    async ([fresh, edited]) => {
      await log(fresh)
      const known = await device.visits(null, fresh.length + edited.length)
      for (const [n, { outcome, note }] of edited.entries())
        await device.editVisit(known[fresh.length + n].id, [
          { kind: 'set', field: 'outcome', text: outcome },
          { kind: 'add_note', text: note },
        ])
      await device.sync(0)
    },
    [forms(made, fresh), made.edited],
  )
}
