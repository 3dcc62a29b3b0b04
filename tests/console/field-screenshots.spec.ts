// Pictures of every screen of the inspector's app, in three languages: `ARALAU_SCREENSHOTS=1 ARALAU_FIELD=1 npx playwright test
// field-screenshots`.
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { Phone } from './phone.ts';
import { World } from './world.ts';

const FOLDER = join(import.meta.dirname, '../../docs/images/field');
const LANGUAGES = ['ru', 'kk', 'en'] as const;

test.skip(!process.env['ARALAU_SCREENSHOTS'], 'pictures are made when asked for');

async function settled(page: Page): Promise<void> {
  await expect(page.locator('h1').first()).toBeVisible();
  await expect(page.locator('.skeleton')).toHaveCount(0);
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(400);
}

for (const language of LANGUAGES) {
  test(`the app in ${language}`, async () => {
    test.setTimeout(180_000);
    const world = await World.begin('--name', 'Алматы');
    const partner = await world.device('Тимур Ахметов');
    const together = await partner.log(
      'contacted',
      'Көше жарығы үш күн бойы жанбайды, әкімдікке жолдадым.',
      1,
    );
    await partner.edit(together, '--promise', 'Починить фонарь во дворе', '--due', '2026-01-31');
    await partner.log('nobody_home', '', 4);
    await partner.sync();
    const phone = await Phone.at(world.url, language);
    const page = await phone.open();
    await page.evaluate((one) => {
      localStorage.setItem('aralau.locale', one);
      localStorage.setItem('aralau.asked_to_keep', 'yes');
    }, language);
    await page.reload();
    const shoot = async (name: string): Promise<void> => {
      await settled(page);
      await page.screenshot({ path: join(FOLDER, `${name}.${language}.png`), scale: 'css' });
    };
    await shoot('enroll');
    await page.locator('input.code').fill(await world.code('Айгүл Серікқызы'));
    await page.locator('form button').click();
    await expect(page.locator('.line.good')).toBeVisible();
    await shoot('round');
    await page.locator('search button').first().click();
    await shoot('map');
    await page.locator('search button').first().click();
    await page.locator('main li a').first().click();
    await expect(page.locator('main li')).not.toHaveCount(0);
    await shoot('place');
    await page.locator('main button.primary').click();
    await page.locator('fieldset label').first().click();
    await page.locator('textarea').first().fill('Поговорили о шуме после 23:00, договорились о тишине.');
    await shoot('log');
    await phone.offline(true);
    await page.locator('footer button').click();
    await shoot('unsent');
    await page.goto(`${world.url}/field/visits`).catch(() => undefined);
    await page.locator('nav a').nth(1).click();
    await expect(page.locator('main li')).not.toHaveCount(0);
    await shoot('visits');
    await phone.offline(false);
    await page.locator('.line button').click();
    await expect(page.locator('.line.good')).toBeVisible();
    await page.locator('main li a').first().click();
    await shoot('visit');
    // Both wrote while neither saw the other.
    const visit = page.url().split('/').at(-1) ?? '';
    await partner.sync();
    await partner.edit(visit, '--outcome', 'refused');
    await page.locator('main button[aria-expanded]').click();
    await phone.offline(true);
    await page.locator('fieldset label').nth(1).click();
    await partner.sync();
    await phone.offline(false);
    await page.locator('.line button').click();
    await expect(page.locator('button.value').first()).toBeVisible();
    await shoot('conflict');
    await page.locator('nav a').nth(2).click();
    await shoot('phone');
    if (language === 'ru') {
      for (const theme of ['dark', 'daylight']) {
        await page.evaluate((worn) => localStorage.setItem('aralau.theme', worn), theme);
        await page.goto(`${world.url}/field/`);
        await shoot(`round-${theme}`);
      }
    }
    await world.revoke('Айгүл Серікқызы');
    await page.goto(`${world.url}/field/`);
    await page.locator('.line button').click();
    await expect(page.locator('button.danger')).toBeVisible();
    await shoot('revoked');
    await phone.end();

    // What may be wrong, each with its screen.
    const late = await Phone.at(world.url, language);
    await late.wrongClock(-3 * 60 * 60 * 1000);
    const behind = await late.open();
    await behind.evaluate((one) => localStorage.setItem('aralau.locale', one), language);
    await behind.reload();
    await behind.locator('input.code').fill(await world.code('Марат Ибраев'));
    await behind.locator('form button').click();
    await expect(behind.locator('.line.good')).toBeVisible();
    await settled(behind);
    await behind.screenshot({ path: join(FOLDER, `clock.${language}.png`), scale: 'css' });
    await behind.context().addInitScript(() => {
      Object.defineProperty(StorageManager.prototype, 'getDirectory', { value: undefined });
    });
    await behind.reload();
    await behind.locator('main li').first().waitFor();
    await behind.screenshot({ path: join(FOLDER, `unsupported.${language}.png`), scale: 'css' });
    await late.end();
    await world.end();

    const training = await World.begin('--name', 'Алматы', '--training');
    const learner = await Phone.at(training.url, language);
    const lesson = await learner.open();
    await lesson.evaluate((one) => localStorage.setItem('aralau.locale', one), language);
    await lesson.reload();
    await lesson.locator('main > button').click();
    await lesson.locator('dialog [role=alert]').waitFor();
    await lesson.screenshot({ path: join(FOLDER, `scan.${language}.png`), scale: 'css' });
    await lesson.keyboard.press('Escape');
    await lesson.locator('input.code').fill(await training.code('Айгүл Серікқызы'));
    await lesson.locator('form button').click();
    await expect(lesson.locator('.line.good')).toBeVisible();
    await settled(lesson);
    await lesson.screenshot({ path: join(FOLDER, `training.${language}.png`), scale: 'css' });
    await learner.end();
    await training.end();
  });
}
