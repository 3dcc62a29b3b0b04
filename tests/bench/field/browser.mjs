// A phone's browser: a profile of its own, a small screen, a slow processor, and a look at what it costs.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { chromium } from 'playwright-core'

const CHROMIUM = process.env.ARALAU_CHROMIUM ?? '/usr/bin/chromium'
export const SLOWER = 4

export function temporary(name) {
  return fs.mkdtempSync(path.join(process.env.DATA ?? os.tmpdir(), `aralau-bench-${name}-`))
}

export class Phone {
  static async open(profile) {
    const phone = new Phone()
    phone.profile = profile
    phone.context = await chromium.launchPersistentContext(profile, {
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu'],
      viewport: { width: 360, height: 740 },
      deviceScaleFactor: 2,
      hasTouch: true,
      locale: 'ru-RU',
      timezoneId: 'Asia/Almaty',
      permissions: ['geolocation'],
      geolocation: { latitude: 43.23, longitude: 76.89, accuracy: 12 },
    })
    phone.page = phone.context.pages()[0] ?? (await phone.context.newPage())
    phone.cdp = await phone.context.newCDPSession(phone.page)
    phone.browser = await phone.context.browser().newBrowserCDPSession()
    return phone
  }

  offline(isOffline) {
    return this.context.setOffline(isOffline)
  }

  async close() {
    await this.quicken()
    await this.context.close()
  }

  /** From a navigation to what is painted by then. Nothing is asked of the page meanwhile: that would take its time. */
  async opened(address, test, committed = () => undefined) {
    await this.page.addInitScript(`${WAIT}
      until(() => ${test}).then((at) => (globalThis.opened = at))`)
    await this.page.goto(address, { waitUntil: 'commit' })
    await committed()
    for (let at; ;) {
      await new Promise((resolve) => setTimeout(resolve, 1500))
      at = (await this.cdp.send('Runtime.evaluate', { expression: 'globalThis.opened' })).result.value
      if (at !== undefined) return at
    }
  }

  async renderers() {
    const { processInfo } = await this.browser.send('SystemInfo.getProcessInfo')
    return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id)
  }

  /** The page's main thread by Chromium's own means; threads of workers, which it leaves alone, by a quota of the system's. */
  async slow() {
    await this.cdp.send('Emulation.setCPUThrottlingRate', { rate: SLOWER })
    this.brake ??= Brake.on(this)
    await this.brake
  }

  async quicken() {
    await this.cdp.send('Emulation.setCPUThrottlingRate', { rate: 1 })
    ;(await this.brake)?.release()
    this.brake = undefined
  }

  /** Its share of the machine's memory, in bytes: of the renderer with the most, the page's. */
  async memory() {
    const shares = (await this.renderers()).map((pid) => {
      const [, kib] = /^Pss:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))
      return kib * 1024
    })
    return Math.max(...shares)
  }

  /** How long the main thread was taken by single tasks meanwhile, in milliseconds, the longest first. */
  async tasks(work) {
    const ended = new Promise((resolve) => this.cdp.once('Tracing.tracingComplete', resolve))
    await this.cdp.send('Tracing.start', {
      transferMode: 'ReturnAsStream',
      traceConfig: { includedCategories: ['toplevel', 'devtools.timeline', '__metadata', 'blink.user_timing'] },
    })
    await this.page.evaluate(() => performance.mark('page of the benchmark'))
    await work()
    await this.cdp.send('Tracing.end')
    const { stream } = await ended
    let text = ''
    for (let eof = false; !eof;) {
      const read = await this.cdp.send('IO.read', { handle: stream, size: 1 << 24 })
      text += read.base64Encoded ? Buffer.from(read.data, 'base64').toString() : read.data
      eof = read.eof
    }
    await this.cdp.send('IO.close', { handle: stream })
    const { traceEvents } = JSON.parse(text)
    const mark = traceEvents.find(({ name }) => name === 'page of the benchmark')
    return traceEvents
      .filter(({ name, pid, tid }) => /RunTask$/.test(name) && pid === mark.pid && tid === mark.tid)
      .map(({ dur = 0 }) => dur / 1000)
      .sort((one, other) => other - one)
  }
}

/** Holds the threads of workers back: of each period they get one part in four. Wants root, and cgroups of version 1. */
class Brake {
  static possible = true
  #folder
  #timer
  #known = new Map()

  static async on(phone) {
    const brake = new Brake()
    brake.#folder = `/sys/fs/cgroup/cpu/aralau-bench-${process.pid}`
    try {
      fs.mkdirSync(brake.#folder, { recursive: true })
      // Its own weight would be that of a process of no priority, whatever the browser's is.
      fs.writeFileSync(`${brake.#folder}/cpu.shares`, '65536')
      fs.writeFileSync(`${brake.#folder}/cpu.cfs_period_us`, '4000')
      fs.writeFileSync(`${brake.#folder}/cpu.cfs_quota_us`, String(4000 / SLOWER))
    } catch {
      Brake.possible = false
      return brake
    }
    let pids = await phone.renderers()
    let asking = false
    let turn = 0
    brake.#timer = setInterval(() => {
      for (const pid of pids) brake.#look(pid)
      if (asking || turn++ % 10 !== 0) return
      asking = true
      phone
        .renderers()
        .then((found) => (pids = found))
        .catch(() => undefined)
        .finally(() => (asking = false))
    }, 10)
    return brake
  }

  #look(pid) {
    let threads = []
    try {
      threads = fs.readdirSync(`/proc/${pid}/task`)
    } catch {
      return
    }
    for (const thread of threads) {
      const seen = this.#known.get(thread) ?? 0
      if (seen > 20) continue
      this.#known.set(thread, seen + 1)
      try {
        if (!/^(Dedicated|Service)Worker/.test(fs.readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8'))) continue
        fs.writeFileSync(`${this.#folder}/tasks`, thread)
        this.#known.set(thread, Infinity)
      } catch {
        continue
      }
    }
  }

  release() {
    clearInterval(this.#timer)
    try {
      for (const thread of fs.readFileSync(`${this.#folder}/tasks`, 'utf8').split('\n').filter(Boolean))
        fs.writeFileSync('/sys/fs/cgroup/cpu/tasks', thread)
      fs.rmdirSync(this.#folder)
    } catch {
      return
    }
  }
}
export const brakes = () => Brake.possible

/** What a folder takes on the disk, in bytes. */
export function allocated(folder) {
  if (!fs.existsSync(folder)) return 0
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + fs.statSync(path.join(entry.parentPath ?? entry.path, entry.name)).blocks * 512, 0)
}

/** In a page: when something is so, and then painted. */
export const WAIT = `globalThis.until = (test) => new Promise((resolve) => {
  const look = () => {
    if (!test()) return false
    observer.disconnect()
    clearInterval(timer)
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())))
    return true
  }
  const observer = new MutationObserver(look)
  observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true })
  const timer = setInterval(look, 100)
  look()
})`
