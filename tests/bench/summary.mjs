// node summary.mjs: one line per peer and scenario over everything in results/; medians of the runs that finished.
import fs from 'node:fs'
import path from 'node:path'
import { RESULTS } from './harness/processes.mjs'

function median(numbers) {
  const sorted = numbers.filter(Number.isFinite).sort((a, b) => a - b)
  return sorted[(sorted.length - 1) >> 1]
}

const scenarioOf = r =>
  [
    `${r.scenario} ${r.D}x${r.V}`,
    r.rtt_ms === undefined ? '' : `rtt ${r.rtt_ms} ms`,
    r.kill_delay_s ? `killed after ${r.kill_delay_s} s` : '',
  ]
    .filter(Boolean)
    .join(', ')

const figures = {
  storm: {
    'wall s': 'wall_s',
    'upload s': 'upload_s',
    'hq s': 'hq_s',
    'server cpu s': 'srv_cpu_s',
    'upload cpu': 'srv_cpu_upload_s',
    'hq cpu': 'srv_cpu_hq_s',
    'client cpu s': 'cli_cpu_upload_s',
    'rss MB': 'srv_peak_rss_mb',
    'up B/visit': 'up_b',
    'hq down B/visit': 'hq_b_down',
    'disk B/visit': 'disk_alloc_b',
    'pg relation B/visit': 'pg_relation_b',
    conns: 'conns',
  },
  kill: { acked: 'acked', lost: 'lost' },
  catchup: {
    'wall s': 'wall_s',
    'server cpu s': 'srv_cpu_s',
    'client cpu s': 'cli_cpu_s',
    'up B': 'up_b_total',
    'down B': 'down_b_total',
    turns: 'turns',
    conns: 'conns',
  },
}
figures.strace = figures.storm

for (const file of fs
  .readdirSync(RESULTS)
  .filter(f => f.endsWith('.jsonl'))
  .sort()) {
  const runs = fs
    .readFileSync(path.join(RESULTS, file), 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  for (const scenario of new Set(runs.map(scenarioOf))) {
    const all = runs.filter(run => scenarioOf(run) === scenario)
    const finished = all.filter(run => !run.error)
    const cells = Object.entries(figures[all[0].scenario])
      .map(([label, key]) => [label, median(finished.map(run => run[key]))])
      .filter(([, value]) => value !== undefined)
      .map(([label, value]) => `${label} ${+value.toFixed(3)}`)
    const right = finished.filter(run => run.ok).length
    console.log(
      `${path.basename(file, '.jsonl')} | ${scenario} | ${right} right of ${all.length} | ${cells.join(' · ')}`,
    )
    const syncs = finished.find(run => run.sync_calls)?.sync_calls
    if (syncs) console.log(`    sync calls: ${JSON.stringify(syncs)}`)
    for (const error of new Set(all.map(run => run.error).filter(Boolean))) console.log(`    failed: ${error}`)
  }
}
