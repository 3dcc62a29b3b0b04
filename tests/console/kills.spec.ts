// The browser is killed in the middle of writing, over and over: `ARALAU_KILLS=200 npx playwright test kills`. Whatever the app
// was told is on the disk is there.
import { expect, test, type Page } from '@playwright/test';
import type { startDevice } from '../../client-sdk/field/src/device/index.ts';
import { Phone, ROOT, serve } from './phone.ts';
import { World } from './world.ts';

declare global {
  var device: ReturnType<typeof startDevice>;
}

const KILLS = Number(process.env['ARALAU_KILLS'] ?? 0);
/** Long enough to begin, and short enough to end anywhere. */
const LIFE_MS = [20, 400] as const;

test.skip(KILLS === 0, 'takes two seconds for each; made when asked for');

/** Writes drafts and visits without a pause, and tells of each that is on the disk. */
async function write(page: Page): Promise<void> {
  await page.evaluate(() => {
    void (async () => {
      for (let number = 0; ; number += 1) {
        const draft = await device.beginDraft({ outcome: 'contacted', note: `begun ${number}` });
        console.log(`draft ${draft}`);
        await device.keepDraft(draft, { outcome: 'contacted', note: `kept ${number} ${'ә'.repeat(200)}` });
        if (number % 3 === 0) continue;
        console.log(`logging ${draft}`);
        console.log(`visit ${draft} ${await device.logDraft(draft)}`);
      }
    })();
  });
}

test(`nothing that the app was told is kept is lost in ${KILLS} kills`, async () => {
  test.setTimeout(KILLS * 10_000 + 60_000);
  const world = await World.begin();
  const [pages, url] = await serve(world.port);
  const phone = await Phone.at(url);
  const first = await phone.open(`${ROOT}bare.html`);
  await first.evaluate(([at, code]) => device.enroll(at, code), [
    url,
    await world.code('Нұрлан Әбенов'),
  ] as const);
  await first.evaluate(() => device.sync(0));
  const drafts = new Set<string>();
  const doubtful = new Set<string>();
  const visits = new Set<string>();
  let page = first;
  for (let kill = 1; kill <= KILLS; kill += 1) {
    page.on('console', (said) => {
      const [what, draft = '', visit = ''] = said.text().split(' ');
      if (what === 'draft') drafts.add(draft);
      if (what === 'logging') doubtful.add(draft);
      if (what !== 'visit') return;
      visits.add(visit);
      drafts.delete(draft);
      doubtful.delete(draft);
    });
    await write(page);
    await page.waitForTimeout(LIFE_MS[0] + Math.random() * (LIFE_MS[1] - LIFE_MS[0]));
    await phone.kill();
    page = await phone.open(`${ROOT}bare.html`);
    const kept = await page.evaluate(async () => ({
      visits: (await device.visits(null, 100_000)).map(({ id }) => id),
      drafts: (await device.drafts()).map(({ id }) => id),
    }));
    expect(
      [...visits].filter((id) => !kept.visits.includes(id)),
      `visits after kill ${kill}`,
    ).toEqual([]);
    // One that was being logged is a draft or a visit, and nobody heard which.
    const gone = [...drafts].filter((id) => !kept.drafts.includes(id) && !doubtful.has(id));
    expect(gone, `drafts after kill ${kill}`).toEqual([]);
    for (const id of doubtful) if (!kept.drafts.includes(id)) drafts.delete(id);
    doubtful.clear();
    kept.visits.forEach((id) => visits.add(id));
    kept.drafts.forEach((id) => drafts.add(id));
  }
  const report = await page.evaluate(() => device.sync(0));
  expect(report.unsent).toBe(0);
  console.log(`${KILLS} kills: ${visits.size} visits, ${drafts.size} drafts, none lost`);
  await phone.end();
  pages.close();
  await world.end();
});
