// Where the time goes, as Chromium samples it: of the page and of each of its workers.
import fs from 'node:fs'
import path from 'node:path'

/** Profiles what is done meanwhile, and writes for each thread the profile and its heaviest functions. */
export function profileInto(folder) {
  fs.mkdirSync(folder, { recursive: true })
  return async (phone, name, work) => {
    const sessions = new Map()
    const begun = []
    const { cdp } = phone
    const ask = (session, method, params = {}) => {
      const number = ++ask.last
      return new Promise((resolve) => {
        ask.waiting.set(number, resolve)
        cdp
          .send('Target.sendMessageToTarget', {
            sessionId: session,
            message: JSON.stringify({ id: number, method, params }),
          })
          .catch(() => resolve(null))
      })
    }
    ask.last = 0
    ask.waiting = new Map()
    cdp.on('Target.receivedMessageFromTarget', ({ message }) => {
      const { id, result } = JSON.parse(message)
      ask.waiting.get(id)?.(result)
    })
    cdp.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
      if (targetInfo.type !== 'worker') return
      sessions.set(sessionId, targetInfo.url)
      begun.push(
        ask(sessionId, 'Profiler.enable')
          .then(() => ask(sessionId, 'Profiler.setSamplingInterval', { interval: 500 }))
          .then(() => ask(sessionId, 'Profiler.start')),
      )
    })
    await cdp.send('Profiler.enable')
    await cdp.send('Profiler.setSamplingInterval', { interval: 500 })
    await cdp.send('Profiler.start')
    await cdp.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false })
    await work()
    const { profile } = await cdp.send('Profiler.stop')
    keep(folder, `${name}-page`, profile)
    let number = 0
    for (const session of sessions.keys()) {
      const stopped = await ask(session, 'Profiler.stop')
      if (stopped?.profile) keep(folder, `${name}-worker${number++ || ''}`, stopped.profile)
    }
    await cdp.send('Target.setAutoAttach', { autoAttach: false, waitForDebuggerOnStart: false, flatten: false })
  }
}

function keep(folder, name, profile) {
  fs.writeFileSync(path.join(folder, `${name}.cpuprofile`), JSON.stringify(profile))
  const own = new Map()
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const parents = new Map(profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])))
  const whole = new Map()
  for (const [n, id] of profile.samples.entries()) {
    const ms = (profile.timeDeltas[n] ?? 0) / 1000
    const seen = new Set()
    for (let at = id; at !== undefined; at = parents.get(at)) {
      const { functionName, url, lineNumber } = nodes.get(at).callFrame
      const label = `${functionName || '(nameless)'} ${url.split('/').at(-1)}:${lineNumber}`
      if (at === id) own.set(label, (own.get(label) ?? 0) + ms)
      if (!seen.has(label)) whole.set(label, (whole.get(label) ?? 0) + ms)
      seen.add(label)
    }
  }
  const heaviest = (times, most) =>
    [...times]
      .sort(([, one], [, other]) => other - one)
      .slice(0, most)
      .map(([label, ms]) => `${ms.toFixed(0).padStart(8)} ms  ${label}`)
      .join('\n')
  fs.writeFileSync(
    path.join(folder, `${name}.txt`),
    `itself\n${heaviest(own, 40)}\n\nwith what it calls\n${heaviest(whole, 60)}\n`,
  )
}
