import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from '@playwright/test';
import { inboxOf, logIn, tell, tellOf, unique } from '../fixtures/notifications.ts';
import { expect, test } from '../fixtures/test.ts';
import type { Tidewatch } from '../fixtures/tidewatch.ts';
import { InboxPage } from '../pages/inbox.ts';

const PHONE = { width: 390, height: 844 };

/** Another tab of the same browser. */
async function tabOf(page: Page, path: string): Promise<InboxPage> {
  const tab = new InboxPage(await page.context().newPage());
  await tab.page.goto(path);
  await tab.isLive();
  return tab;
}

test('three tabs and two browsers say the same number, whatever is done where', async ({ page, browser, tidewatch }) => {
  test.slow();
  const [prefix, person] = [unique('SAME'), await tidewatch.addPerson(['viewer'])];
  await tellOf(tidewatch, prefix, [person]);
  await logIn(page, person);
  const first = new InboxPage(page);
  await first.isLive();
  const tabs = [first, await tabOf(page, '/settlements'), await tabOf(page, '/')];
  const elsewhere = new InboxPage(await inboxOf(browser, tidewatch, person));
  await elsewhere.isLive();
  const all = [...tabs, elsewhere];
  for (const tab of all) await tab.counts(0);

  for (let number = 1; number <= 3; number += 1) await tidewatch.create(`${prefix}-${number}`);
  for (const tab of all) await tab.counts(3);
  await expect(elsewhere.page.getByRole('link', { name: 'Notifications, 3 unread', exact: true })).toBeVisible();

  await elsewhere.step(`${prefix}-2`, 'Mark read').click();
  for (const tab of all) await tab.counts(2);
  await first.page.getByRole('button', { name: 'Mark all read' }).click();
  for (const tab of all) await tab.counts(0);
  await expect(tabs[1].page.getByRole('link', { name: 'Notifications, none unread' })).toBeVisible();
  await tidewatch.create(`${prefix}-4`);
  for (const tab of all) await tab.counts(1);
  // And so does a page that is loaded afresh.
  await tabs[2].page.reload();
  await tabs[2].counts(1);
  await elsewhere.page.context().close();
});

for (const permission of ['events.read', 'notifications.read']) {
  test(`a customer whose role has ${permission} alone hears of theirs at once`, async ({ page, tidewatch }) => {
    const [prefix, role] = [unique('THEIRS'), `customer_of_${permission.replace('.', '_')}`];
    const made = await tidewatch.curl('PUT', `/api/v1/roles/${role}`, { title: 'Customer', permissions: [permission], ownOnly: true });
    expect(made.status, JSON.stringify(made.json)).toBeLessThan(300);
    const organization = (await tidewatch.curl('POST', '/api/v1/organizations', { name: unique('Customer') })).json.id;
    const person = await tidewatch.addPerson([role]);
    const joined = await tidewatch.curl('PATCH', `/api/v1/people/${person.id}`, { roles: [role], organizations: [organization] });
    expect(joined.status, JSON.stringify(joined.json)).toBe(200);
    await tellOf(tidewatch, prefix, [person]);
    await logIn(page, person);
    const inbox = new InboxPage(page);
    await inbox.isLive();
    await inbox.counts(0);
    await tidewatch.create(`${prefix}-1`, { organizationId: organization });
    await inbox.counts(1);
    await expect(inbox.row(`${prefix}-1`)).toBeVisible();
    await inbox.step(`${prefix}-1`, 'Mark read').click();
    await inbox.counts(0);
    // Into the log leads a link for those who may read it.
    const { notifications } = await (await page.request.get('/api/v1/notifications?folder=all')).json();
    await page.goto(`/notifications/${notifications[0].id}`);
    await expect(page.locator('.facts')).toContainText('settlement.created');
    const links = page.locator('.facts').getByRole('link', { name: 'settlement.created' });
    await expect(links).toHaveCount(permission === 'events.read' ? 1 : 0);
  });
}

test('who acknowledges first settles it for the others, and nobody is told next', async ({ page, browser, tidewatch }) => {
  const prefix = unique('SETTLED');
  const [ann, bob] = [await tidewatch.addPerson(['viewer']), await tidewatch.addPerson(['viewer'])];
  await tellOf(tidewatch, prefix, [ann, bob], {
    mustAcknowledge: true, priority: 'high', escalation: [{ afterSeconds: 3600, audience: [{ kind: 'role', name: 'admin' }] }],
  });
  await logIn(page, ann);
  const hers = new InboxPage(page);
  await hers.isLive();
  const his = new InboxPage(await inboxOf(browser, tidewatch, bob));
  await his.isLive();
  await tidewatch.create(`${prefix}-1`);
  for (const inbox of [hers, his]) {
    await expect(inbox.row(`${prefix}-1`)).toContainText('To acknowledge');
    await expect(inbox.bell).toHaveAttribute('data-unacknowledged', '1');
  }
  await hers.step(`${prefix}-1`, 'Acknowledge').click();
  await expect(hers.page.locator('.toast')).toContainText('acknowledged');
  await expect(his.row(`${prefix}-1`)).toContainText('Acknowledged by somebody else');
  await expect(his.step(`${prefix}-1`, 'Acknowledge')).toHaveCount(0);
  for (const inbox of [hers, his]) await expect(inbox.bell).toHaveAttribute('data-unacknowledged', '0');
  await his.page.context().close();
});

/** Somebody who was told of a settlement while they looked at another page: their bell counts it. */
async function toldElsewhere(browser: Browser, tidewatch: Tidewatch, name: string) {
  const [prefix, person] = [unique(name), await tidewatch.addPerson(['viewer'])];
  await tellOf(tidewatch, prefix, [person]);
  const theirs = new InboxPage(await inboxOf(browser, tidewatch, person));
  await theirs.page.goto('/settlements');
  await theirs.isLive();
  const settlement = await tidewatch.create(`${prefix}-1`);
  await theirs.counts(1);
  return { prefix, person, theirs, settlement };
}

test('what comes while no inbox is open is delivered, and seen once it is looked at', async ({ page, operator, browser, tidewatch }) => {
  const { prefix, person, theirs, settlement } = await toldElsewhere(browser, tidewatch, 'GIVEN');
  await page.goto(`/settlements/${settlement.id}`);
  const receipt = page.locator(`.receipt[data-recipient="${person.email}"]`);
  await expect(receipt.locator('[data-state="delivered"]')).toHaveAttribute('data-reached', 'true');
  await expect(receipt.locator('[data-state="seen"]')).toHaveAttribute('data-reached', 'false');
  await theirs.bell.click();
  await expect(theirs.row(`${prefix}-1`)).toBeVisible();
  await expect(receipt.locator('[data-state="seen"]')).toHaveAttribute('data-reached', 'true');
  await expect(receipt.locator('[data-state="read"]')).toHaveAttribute('data-reached', 'false');
  await theirs.page.context().close();
});

test('what stands in a tab in the background is seen once somebody turns to it', async ({ page, operator, browser, tidewatch }) => {
  const { prefix, person, theirs, settlement } = await toldElsewhere(browser, tidewatch, 'BEHIND');
  const behind = new InboxPage(await theirs.page.context().newPage());
  await behind.page.addInitScript(() => Object.defineProperty(document, 'hidden', { configurable: true, get: () => true }));
  await behind.open();
  await behind.isReady(true);
  await expect(behind.row(`${prefix}-1`)).toBeVisible();
  await page.goto(`/settlements/${settlement.id}`);
  const receipt = page.locator(`.receipt[data-recipient="${person.email}"]`);
  await expect(receipt.locator('[data-state="delivered"]')).toHaveAttribute('data-reached', 'true');
  await expect(receipt.locator('[data-state="seen"]')).toHaveAttribute('data-reached', 'false');
  await behind.page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => false });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  });
  await expect(receipt.locator('[data-state="seen"]')).toHaveAttribute('data-reached', 'true');
  await theirs.page.context().close();
});

test('what is put away is taken back by its toast', async ({ page, tidewatch }) => {
  const [prefix, person] = [unique('UNDO'), await tidewatch.addPerson(['viewer'])];
  await tellOf(tidewatch, prefix, [person]);
  await logIn(page, person);
  const inbox = new InboxPage(page);
  await tell(tidewatch, page, prefix);
  await inbox.open();
  await inbox.isLive();
  await inbox.step(`${prefix}-1`, 'Archive').click();
  await expect(inbox.row(`${prefix}-1`)).toHaveCount(0);
  const toast = page.locator('.toast');
  await expect(toast).toContainText('The notification is archived.');
  await toast.getByRole('button', { name: 'Undo' }).click();
  await expect(inbox.row(`${prefix}-1`)).toBeVisible();
  await inbox.counts(1);
});

test('a new one moves nothing under somebody who reads, and is announced', async ({ page, tidewatch }) => {
  const [prefix, person] = [unique('STILL'), await tidewatch.addPerson(['viewer'])];
  await tellOf(tidewatch, prefix, [person]);
  await logIn(page, person);
  const inbox = new InboxPage(page);
  await tell(tidewatch, page, prefix, 2);
  await inbox.open();
  await inbox.isLive();
  const link = inbox.row(`${prefix}-1`).getByRole('link').first();
  await link.focus();
  const before = await link.boundingBox();
  await tidewatch.create(`${prefix}-3`);
  const pill = page.getByRole('button', { name: '1 new' });
  await expect(pill).toBeVisible();
  await inbox.counts(3);
  await expect(inbox.rows).toHaveCount(2);
  await expect(page.locator('[role="status"][aria-live="polite"]').last()).toHaveText(/3 unread|1 new/);
  expect(await link.boundingBox()).toEqual(before);
  await pill.click();
  await expect(inbox.rows).toHaveCount(3);
  await expect(inbox.rows.first()).toContainText(`${prefix}-3`);
});

test('by keyboard alone: from the bell through the rows, and on when one goes', async ({ page, tidewatch }) => {
  const [prefix, person] = [unique('KEYS'), await tidewatch.addPerson(['viewer'])];
  await tellOf(tidewatch, prefix, [person]);
  await logIn(page, person);
  const inbox = new InboxPage(page);
  await tell(tidewatch, page, prefix, 3);
  await page.goto('/settlements');
  await inbox.isLive();
  await page.keyboard.press('g');
  await page.keyboard.press('n');
  await expect(inbox.heading).toHaveText('Notifications');
  await expect(inbox.rows).toHaveCount(3);
  await inbox.step(`${prefix}-2`, 'Archive').focus();
  await page.keyboard.press('Enter');
  await expect(inbox.row(`${prefix}-2`)).toHaveCount(0);
  // The one behind it, of those that are newest first.
  await expect(inbox.row(`${prefix}-1`).getByRole('link').first()).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(inbox.heading).toHaveText(`${prefix}-1`);
  await inbox.counts(1);
  await page.goBack();
  await expect(inbox.rows).toHaveCount(1);
});

test('in a paused page nothing moves, and the bell goes on with it', async ({ page, tidewatch }) => {
  const [prefix, person] = [unique('PAUSE'), await tidewatch.addPerson(['viewer'])];
  await tellOf(tidewatch, prefix, [person]);
  await logIn(page, person);
  const inbox = new InboxPage(page);
  await inbox.isLive();
  await page.getByRole('button', { name: 'Pause' }).click();
  await tidewatch.create(`${prefix}-1`);
  const other = await tabOf(page, '/settlements');
  await other.counts(1);
  await inbox.counts(0);
  await page.getByRole('button', { name: 'Go on' }).click();
  await inbox.counts(1);
  await expect(inbox.row(`${prefix}-1`)).toBeVisible();
});

test('on a phone: the bell without the menu, targets for thumbs, nothing to scroll sideways', async ({ page, tidewatch }) => {
  const [prefix, person] = [unique('PHONE-WITH-A-LONG-REFERENCE'), await tidewatch.addPerson(['viewer'])];
  await tellOf(tidewatch, prefix, [person], { mustAcknowledge: true, priority: 'high' });
  await tellOf(tidewatch, `${prefix}-1`, [person], { template: { title: 'x'.repeat(120), body: 'y'.repeat(400) } });
  await page.setViewportSize(PHONE);
  await logIn(page, person);
  const inbox = new InboxPage(page);
  await tidewatch.create(`${prefix}-1`);
  await expect(inbox.rows).toHaveCount(2);
  await expect(inbox.bell).toBeInViewport();
  for (const width of [390, 320]) {
    await page.setViewportSize({ ...PHONE, width });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(overflow, `at ${width} px`).toBeLessThanOrEqual(0);
    const small = await page.locator('.notification .button, .inbox-head .chip, .bell').evaluateAll((all) =>
      all.map((one) => one.getBoundingClientRect()).filter(({ width, height }) => width < 40 || height < 44).length);
    expect(small, `targets at ${width} px`).toBe(0);
  }
  // And so is each of them by itself.
  const ids = await inbox.rows.evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.id));
  for (const id of ids) {
    await page.goto(`/notifications/${id}`);
    await inbox.isLive();
    for (const width of [390, 320]) {
      await page.setViewportSize({ ...PHONE, width });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(overflow, `${id} at ${width} px`).toBeLessThanOrEqual(0);
    }
  }
});

test('what one saves several times is what one said, whatever row it moved to', async ({ page, tidewatch }) => {
  const person = await tidewatch.addPerson(['viewer']);
  // What one was told of can be chosen.
  await tellOf(tidewatch, 'SAVE', [person], { types: ['settlement.created', 'settlement.network_selected'], conditions: [], template: { title: '{{type}}' } });
  await logIn(page, person);
  const inbox = new InboxPage(page);
  await inbox.isLive();
  await tidewatch.move(await tidewatch.create('SAVE-1'), { move: 'select_network', network: 'polygon', score: 9, reasoning: 'x', required: 9 });
  await expect(inbox.rows).toHaveCount(2);
  await page.goto('/notifications/settings');
  await inbox.isLive();
  const row = (pattern: string) => page.locator(`[data-pattern="${pattern}"]`);
  const counted = (pattern: string) => row(pattern).getByLabel('Counted by the bell');
  const save = async () => {
    await page.getByRole('button', { name: 'Save the settings' }).click();
    await expect(page.locator('.toast', { hasText: 'Your settings are saved.' }).last()).toBeVisible();
  };
  await row('').locator('select').first().selectOption('settlement.network_selected');
  await counted('').uncheck();
  await save();
  await expect(counted('settlement.network_selected')).not.toBeChecked();
  await expect(counted(''), 'the empty row is a new one').toBeChecked();
  // This one stands above the other, in whose place nothing was ever taken back.
  await row('').locator('select').first().selectOption('settlement.created');
  await save();
  await expect(counted('settlement.created')).toBeChecked();
  await expect(counted('settlement.network_selected')).not.toBeChecked();
  // What is refused stays as it was entered.
  await page.getByLabel('From').fill('22:00');
  await page.getByRole('button', { name: 'Save the settings' }).click();
  await expect(page.getByRole('alert')).toContainText('quiet');
  await expect(page.getByLabel('From')).toHaveValue('22:00');
  await page.getByLabel('From').fill('');
  const saved = page.waitForResponse((answer) => answer.url().includes('/fn/save_notification_settings'));
  await page.getByRole('button', { name: 'Save the settings' }).click();
  expect((await saved).status()).toBe(200);
  await page.reload();
  await inbox.isLive();
  await expect(counted('settlement.created')).toBeChecked();
  await expect(counted('settlement.network_selected')).not.toBeChecked();
});

test.describe('in another part of the world', () => {
  test.use({ timezoneId: 'America/New_York' });

  test('quiet hours are meant where one is, until one says otherwise', async ({ page, tidewatch }) => {
    const person = await tidewatch.addPerson(['viewer']);
    await logIn(page, person);
    const inbox = new InboxPage(page);
    const zone = page.getByLabel('Time zone');
    await page.goto('/notifications/settings');
    await inbox.isLive();
    await expect(zone).toHaveValue('America/New_York');
    await page.getByLabel('From').fill('22:00');
    await page.getByLabel('Until').fill('07:00');
    await zone.selectOption('Europe/Vienna');
    await page.getByRole('button', { name: 'Save the settings' }).click();
    await expect(page.locator('.toast')).toContainText('Your settings are saved.');
    await page.reload();
    await inbox.isLive();
    await expect(zone).toHaveValue('Europe/Vienna');
    await expect(page.getByText('Your browser is in America/New York now.')).toBeVisible();
  });
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`no violation in ${colorScheme}, with all that an inbox can have`, async ({ page, tidewatch }) => {
    test.setTimeout(300_000);
    const [prefix, person] = [unique('AXE'), await tidewatch.addPerson(['operator'])];
    const rule = await tellOf(tidewatch, prefix, [person], { mustAcknowledge: true, priority: 'high' });
    await tellOf(tidewatch, prefix, [person], { priority: 'low', template: { title: '{{/reference}}', group: 'axe' } });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await logIn(page, person);
    const inbox = new InboxPage(page);
    const made = [await tidewatch.create(`${prefix}-1`), await tidewatch.create(`${prefix}-2`)];
    await expect(inbox.rows).toHaveCount(4);
    await inbox.step(`${prefix}-1 is there`, 'Acknowledge').click();
    const one = (await inbox.rows.first().getAttribute('data-id')) ?? '';
    for (const path of [
      '/notifications', '/notifications?folder=all', '/notifications?folder=archived', `/notifications/${one}`,
      '/notifications/settings', '/notification-rules', `/notification-rules/${rule}`, `/settlements/${made[0].id}`,
    ]) {
      await page.goto(path);
      await inbox.isLive();
      await page.locator('details').evaluateAll((all) => all.forEach((one) => one.setAttribute('open', '')));
      for (const width of colorScheme === 'light' ? [1360, 390] : [390]) {
        await page.setViewportSize({ width, height: 900 });
        const { violations } = await new AxeBuilder({ page })
          .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
          .analyze();
        const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
        expect.soft(found, `${path} at ${width} px`).toEqual([]);
      }
    }
  });
}
