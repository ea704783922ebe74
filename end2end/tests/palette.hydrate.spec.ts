import { Dashboard } from '../pages/dashboard.ts';
import { expect, test } from '../fixtures/test.ts';
import { make } from '../fixtures/modules.ts';

test('Ctrl-K leads to pages, searches and records, by keyboard alone', async ({ page, operator, tidewatch }) => {
  const order = await make(tidewatch, 'orders', { reference: 'PALETTE-1', totalMinor: 1, currency: 'EUR' });
  const dashboard = new Dashboard(page);
  await dashboard.isLive();
  const box = page.getByRole('combobox', { name: 'Page, id or words' });
  await page.keyboard.press('Control+k');
  await expect(box).toBeFocused();
  await page.keyboard.type('inci');
  await expect(page.getByRole('option').first()).toHaveText('Incidents');
  await page.keyboard.press('Enter');
  await expect(dashboard.heading).toHaveText('Incidents');
  await expect(box).toBeHidden();

  await page.keyboard.press('Control+k');
  await page.keyboard.type('palette');
  await page.getByRole('option', { name: 'Search orders' }).click();
  await expect(page).toHaveURL(/\/orders\?q=palette$/);
  await expect(page.locator('.record-row')).toHaveCount(1);

  await page.keyboard.press('Control+k');
  await page.keyboard.type(order.id);
  await page.keyboard.press('Enter');
  await expect(dashboard.heading).toHaveText('PALETTE-1');
});

test('it offers every page, views and actions, and ids of all kinds', async ({ page, operator, tidewatch }) => {
  const dashboard = new Dashboard(page);
  await dashboard.isLive();
  await page.keyboard.press('Control+k');
  const links = page.getByRole('navigation', { name: 'Main' }).getByRole('link');
  for (const name of await links.allInnerTexts()) {
    await expect(page.getByRole('option', { name, exact: true }), name).toHaveCount(1);
  }
  await page.keyboard.press('End');
  for (let step = 0; step < 40; step++) await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('option', { name: 'Log out' })).toHaveAttribute('aria-selected', 'true');
  await expect(page.getByRole('option', { name: 'Log out' })).toBeInViewport();
  await page.keyboard.type('theme dark');
  await page.keyboard.press('Enter');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await dashboard.isHydrated();

  const { eventId } = (await tidewatch.curl('GET', '/api/v1/events?after=earliest&limit=1')).json.events[0];
  await page.keyboard.press('Control+k');
  await page.keyboard.type(eventId);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(new RegExp(`/events/${eventId}$`));
  await page.keyboard.press('Control+k');
  await page.keyboard.type('giz_01h455vb4pex5vsknk084sn02q');
  await page.keyboard.press('Enter');
  await expect(dashboard.heading).toHaveText('Not found');
});

test('the key / leads to the search of every list that has one', async ({ page, operator }) => {
  for (const path of ['/audit', '/events', '/jobs', '/people', '/connections']) {
    await page.goto(path);
    await new Dashboard(page).isHydrated();
    await page.keyboard.press('/');
    await expect(page.locator('[data-search]'), path).toBeFocused();
  }
});

test('single keys lead on, and can be switched off', async ({ page, operator }) => {
  const dashboard = new Dashboard(page);
  await dashboard.isLive();
  await page.keyboard.press('g');
  await page.keyboard.press('i');
  await expect(dashboard.heading).toHaveText('Incidents');
  await page.keyboard.press('/');
  await expect(page.locator('[data-search]')).toBeFocused();
  await page.keyboard.type('g o');
  await expect(dashboard.heading).toHaveText('Incidents');
  await page.locator('h1').click();
  await page.keyboard.press('?');
  const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await expect(help).toBeVisible();
  await expect(help).toContainText('Events');
  await expect(help).toContainText('Audit log');
  await help.getByLabel('Keys without Ctrl do something').uncheck();
  await help.getByRole('button', { name: 'Close' }).click();
  await page.keyboard.press('?');
  await expect(help).toBeHidden();
});
