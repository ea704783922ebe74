import type { Page } from '@playwright/test';
import { Dashboard } from '../pages/dashboard.ts';
import { expect, test } from '../fixtures/test.ts';

/** What a paste would bring. */
async function pasted(page: Page): Promise<string> {
  await page.keyboard.press('Control+k');
  await page.keyboard.press('Control+v');
  const text = await page.getByRole('combobox').inputValue();
  await page.keyboard.press('Escape');
  return text;
}

const said = (page: Page) => page.locator('p[aria-live="polite"].visually-hidden');

test('on a plain HTTP host, which has no clipboard, an id is copied all the same', async ({ page, operator, tidewatch }) => {
  // As browsers have it outside of localhost and TLS.
  await page.addInitScript(() => Object.defineProperty(Navigator.prototype, 'clipboard', { value: undefined }));
  const settlement = await tidewatch.create('COPY-1');
  await page.goto(`/settlements/${settlement.id}`);
  await new Dashboard(page).isLive();
  await page.getByRole('button', { name: `Copy ${settlement.id}` }).click();
  await expect(said(page)).toHaveText('Copied');
  expect(await pasted(page)).toBe(settlement.id);
});

test('what the browser does not copy is selected, and not called copied', async ({ page, operator, tidewatch }) => {
  await page.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, 'clipboard', { value: undefined });
    document.execCommand = () => false;
  });
  const settlement = await tidewatch.create('COPY-2');
  await page.goto('/settlements?q=copy-2');
  await new Dashboard(page).isLive();
  await page.getByRole('button', { name: `Copy ${settlement.id}` }).click();
  await expect(said(page)).toContainText('press Ctrl C');
  // The whole id, though the row shows its ends alone.
  expect(await page.evaluate(() => getSelection()?.toString())).toBe(settlement.id);
});
