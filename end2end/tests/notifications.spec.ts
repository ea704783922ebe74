import type { Page } from '@playwright/test';
import { inboxOf, logIn, tell, tellOf, unique } from '../fixtures/notifications.ts';
import { expect, test } from '../fixtures/test.ts';
import { Dashboard } from '../pages/dashboard.ts';
import { InboxPage } from '../pages/inbox.ts';

// With and without JavaScript: what somebody is told, and what they do with it.

/** What a browser says of a page that nobody turns over while somebody else acts in another one, without scripts. */
const UNUSED_PRELOAD = /preloaded using link preload but not used/;

/** Opens a page whose forms are sent next. */
async function open(page: Page, path: string, javaScriptEnabled: boolean | undefined): Promise<void> {
  await page.goto(path);
  await new Dashboard(page).isReady(javaScriptEnabled);
}

test('a rule that is written in its form tells whom it names', async ({ page, operator, browser, tidewatch, javaScriptEnabled, quiet }) => {
  if (javaScriptEnabled === false) quiet.allow(UNUSED_PRELOAD);
  const [prefix, person] = [unique('FORM'), await tidewatch.addPerson(['viewer'])];
  await open(page, '/notification-rules', javaScriptEnabled);
  await page.locator('summary', { hasText: 'New rule' }).click();
  const form = page.locator('[data-change="saveNotificationRule"]');
  await form.getByLabel('Name').fill(`Told of ${prefix}`);
  await form.getByLabel('Event types').fill('settlement.*');
  await form.getByLabel('Only if all of this holds').fill(`/reference contains ${prefix}\n/amountMinor > 100`);
  await form.getByLabel('People, with commas').fill(`user:${person.id}`);
  await form.getByLabel('Title', { exact: true }).fill('{{/reference}}: {{type}}');
  await form.getByLabel('Where it leads').fill('/settlements/{{id}}');
  await form.getByRole('button', { name: 'Make the rule' }).click();
  const item = page.locator('.list-item', { hasText: `Told of ${prefix}` });
  await expect(item).toContainText('if 2 conditions hold');
  await expect(item, 'people are called by their names').toContainText('tells Ann Example');
  // The form is folded, and empty, for the next one.
  await expect(form.getByLabel('Name')).toBeHidden();
  await page.locator('summary', { hasText: 'New rule' }).click();
  await expect(form.getByLabel('Name')).toHaveValue('');
  await expect(form.getByLabel('Only if all of this holds')).toHaveValue('');

  const theirs = await inboxOf(browser, tidewatch, person, { javaScriptEnabled });
  const [settlement] = await tell(tidewatch, theirs, prefix);
  const inbox = new InboxPage(theirs);
  await inbox.counts(1);
  await inbox.row(`${prefix}-1: settlement.created`).getByRole('link').first().click();
  await expect(theirs).toHaveURL(new RegExp(`/settlements/${settlement.id}`));
  await inbox.counts(0);
  await inbox.open();
  await expect(inbox.row(`${prefix}-1`)).toHaveCount(0);
  await theirs.context().close();

  await expect(async () => {
    await page.goto('/notification-rules');
    await expect(item).toContainText('1 sent', { timeout: 1_000 });
  }).toPass();
});

test('a rule that cannot be read says which field is wrong', async ({ page, operator, javaScriptEnabled }) => {
  await open(page, '/notification-rules', javaScriptEnabled);
  await page.locator('summary', { hasText: 'New rule' }).click();
  const form = page.locator('[data-change="saveNotificationRule"]');
  await form.getByLabel('Name').fill(unique('Wrong'));
  await form.getByLabel('Event types').fill('settlement.created');
  await form.getByLabel('People, with commas').fill('everybody');
  await form.getByLabel('Title', { exact: true }).fill('x');
  await form.getByRole('button', { name: 'Make the rule' }).click();
  await expect(page.locator('.change-answer [role="alert"]')).toContainText('audience');
});

test('a rule is disabled, changed and deleted', async ({ page, operator, tidewatch, javaScriptEnabled }) => {
  const person = await tidewatch.addPerson(['viewer']);
  const id = await tellOf(tidewatch, unique('RULE'), [person]);
  await open(page, `/notification-rules/${id}`, javaScriptEnabled);
  const article = page.locator('article.rule');
  await expect(article).toHaveAttribute('data-enabled', 'true');
  await page.getByRole('button', { name: 'Disable' }).click();
  await expect(article).toHaveAttribute('data-enabled', 'false');
  await page.getByRole('button', { name: 'Enable' }).click();
  await expect(article).toHaveAttribute('data-enabled', 'true');
  const form = page.locator('[data-change="saveNotificationRule"]');
  const name = unique('Called otherwise');
  await form.getByLabel('Name').fill(name);
  await form.getByRole('button', { name: 'Save the rule' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(name);
  await page.locator('summary', { hasText: 'Delete…' }).click();
  await page.getByRole('button', { name: 'Delete the rule' }).click();
  // It is said that it is done, where the others are or on the way there.
  await expect(page.getByText(`${name} is deleted.`).first()).toBeVisible();
  if (javaScriptEnabled === false) await page.locator('main').getByRole('link', { name: 'Notification rules' }).click();
  await expect(page).toHaveURL(/\/notification-rules$/);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Notification rules');
  await expect(page.locator('.list-item', { hasText: name })).toHaveCount(0);
  expect((await tidewatch.curl('GET', `/api/v1/notification-rules/${id}`)).status).toBe(404);
  // To whoever comes later there is nothing here.
  expect((await page.goto(`/notification-rules/${id}`))?.status()).toBe(404);
});

test('who saves a rule that somebody else has changed meanwhile is told who, and takes nothing from them', async ({ page, operator, tidewatch, javaScriptEnabled }) => {
  const person = await tidewatch.addPerson(['viewer']);
  const id = await tellOf(tidewatch, unique('BOTH'), [person]);
  const path = `/api/v1/notification-rules/${id}`;
  await open(page, `/notification-rules/${id}`, javaScriptEnabled);
  const form = page.locator('[data-change="saveNotificationRule"]');
  const [mine, theirs] = [unique('Mine'), unique('Theirs')];
  await form.getByLabel('Name').fill(mine);
  const changed = (await tidewatch.curl('PATCH', path, { name: theirs })).json;
  await form.getByRole('button', { name: 'Save the rule' }).click();
  await expect(page.locator('.change-answer [role="alert"]')).toContainText(`${changed.updatedBy} changed this rule meanwhile`);
  expect((await tidewatch.curl('GET', path)).json.name).toBe(theirs);
  if (javaScriptEnabled === false) {
    await expect(form.getByLabel('Name')).toHaveValue(theirs);
  } else {
    const warning = page.locator('[data-changed-meanwhile]');
    await expect(warning).toContainText(changed.updatedBy);
    await expect(form.getByLabel('Name')).toHaveValue(mine);
    await warning.getByRole('button', { name: 'Put mine in its place' }).click();
    await expect(warning).toHaveCount(0);
  }
  // What is said of what is there now is saved, and so is what follows that.
  for (const name of [unique('After it'), unique('And again')]) {
    await form.getByLabel('Name').fill(name);
    await form.getByRole('button', { name: 'Save the rule' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(name);
  }
  await expect(page.locator('[data-changed-meanwhile]')).toHaveCount(0);
});

test('what one has read, put away and acknowledged', async ({ page, tidewatch, javaScriptEnabled }) => {
  const [prefix, person] = [unique('STEPS'), await tidewatch.addPerson(['viewer'])];
  await tellOf(tidewatch, prefix, [person]);
  await tellOf(tidewatch, `${prefix}-1`, [person], { mustAcknowledge: true, priority: 'high', template: { title: 'Look at {{/reference}}' } });
  await logIn(page, person);
  const inbox = new InboxPage(page);
  await tidewatch.create(`${prefix}-1`);
  await expect(async () => {
    await inbox.open();
    await expect(inbox.rows).toHaveCount(2, { timeout: 1_000 });
  }).toPass({ timeout: 20_000 });
  await inbox.counts(2);
  await inbox.isReady(javaScriptEnabled);

  // What waits for somebody is not put away before they say that it is done.
  const urgent = `Look at ${prefix}-1`;
  await expect(inbox.row(urgent)).toContainText('High');
  await expect(inbox.row(urgent)).toContainText('To acknowledge');
  await expect(inbox.step(urgent, 'Archive')).toHaveCount(0);
  await inbox.step(urgent, 'Acknowledge').click();
  await inbox.counts(1);
  await inbox.open('?folder=all');
  await inbox.isReady(javaScriptEnabled);
  await expect(inbox.row(urgent)).toContainText('Acknowledged');

  const plain = `${prefix}-1 is there`;
  await inbox.step(plain, 'Mark read').click();
  await expect(inbox.row(plain)).toHaveAttribute('data-unread', 'false');
  await inbox.step(plain, 'Mark unread').click();
  await expect(inbox.row(plain)).toHaveAttribute('data-unread', 'true');
  await inbox.step(plain, 'Archive').click();
  await expect(inbox.row(plain)).toHaveCount(0);
  await page.getByRole('navigation', { name: 'Folders' }).getByRole('link', { name: 'Archived' }).click();
  await expect(page).toHaveURL(/folder=archived/);
  await inbox.step(plain, 'Move to the inbox').click();
  await expect(page.getByText('Nothing is archived')).toBeVisible();

  await inbox.open();
  await inbox.isReady(javaScriptEnabled);
  await expect(inbox.rows).toHaveCount(1);
  await page.getByRole('button', { name: 'Mark all read' }).click();
  await expect(page.getByText('You have read everything')).toBeVisible();
  await inbox.counts(0);
});

test('folders, words, groups and pages stand in the address', async ({ page, tidewatch }) => {
  const [prefix, person] = [unique('GROUP'), await tidewatch.addPerson(['viewer'])];
  await tellOf(tidewatch, prefix, [person], { template: { title: '{{/reference}} is there', group: `all of ${prefix}` } });
  await logIn(page, person);
  const inbox = new InboxPage(page);
  await tell(tidewatch, page, prefix, 3);

  await inbox.open();
  const group = page.locator('.notification-group');
  await expect(group).toHaveCount(1);
  await expect(group.locator('summary')).toHaveText(`2 more of “all of ${prefix}”`);
  await group.getByRole('link', { name: 'Show all', exact: true }).click();
  await expect(page).toHaveURL(/[?&]group=/);
  await expect(inbox.rows).toHaveCount(3);
  await expect(page.locator('.inbox-narrowed')).toContainText(`all of ${prefix}`);
  await page.getByRole('link', { name: 'Show all of “All”' }).click();
  await expect(group).toHaveCount(1);

  await page.locator('main [name="search"]').fill(`${prefix}-2`);
  await page.getByRole('button', { name: 'Search' }).click();
  await expect(page).toHaveURL(/folder=all&search=/);
  await expect(inbox.rows).toHaveCount(1);
  await page.locator('main [name="search"]').fill('nothing has these words');
  await page.getByRole('button', { name: 'Search' }).click();
  await expect(page.getByText('No notification is like this')).toBeVisible();
  const current = page.getByRole('navigation', { name: 'Folders' }).locator('[aria-current="true"]');
  await expect(current).toHaveText('All');
});

test('one says by which way one wants to be told', async ({ page, tidewatch, javaScriptEnabled }) => {
  const [prefix, person] = [unique('WISH'), await tidewatch.addPerson(['viewer'])];
  await tellOf(tidewatch, prefix, [person]);
  await logIn(page, person);
  await tell(tidewatch, page, prefix);
  await open(page, '/notifications/settings', javaScriptEnabled);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Notification settings');
  await page.locator('[data-pattern=""] select').first().selectOption('settlement.created');
  await page.locator('[data-pattern=""]').getByLabel('Counted by the bell').uncheck();
  await page.getByLabel('From').fill('22:00');
  await page.getByLabel('Until').fill('07:00');
  await page.getByRole('button', { name: 'Save the settings' }).click();
  await expect(page.getByText('Your settings are saved.').first()).toBeVisible();
  await open(page, '/notifications/settings', javaScriptEnabled);
  const row = page.locator('[data-pattern="settlement.created"]');
  await expect(row.getByLabel('Counted by the bell')).not.toBeChecked();
  await expect(page.getByLabel('From')).toHaveValue('22:00');

  // What comes of it from now on is in the inbox, and counted by no bell.
  const inbox = new InboxPage(page);
  await inbox.open();
  await inbox.isReady(javaScriptEnabled);
  await page.getByRole('button', { name: 'Mark all read' }).click();
  await inbox.counts(0);
  await tidewatch.create(`${prefix}-muted`);
  await expect(async () => {
    await inbox.open();
    await expect(inbox.row(`${prefix}-muted`)).toContainText('muted', { timeout: 1_000 });
  }).toPass({ timeout: 20_000 });
  await inbox.counts(0);

  await open(page, '/notifications/settings', javaScriptEnabled);
  await page.getByLabel('Until').fill('');
  await page.getByRole('button', { name: 'Save the settings' }).click();
  await expect(page.getByRole('alert')).toContainText('quietUntil');
  await open(page, '/notifications/settings', javaScriptEnabled);
  await row.getByLabel('Take this row away').check();
  await page.getByRole('button', { name: 'Save the settings' }).click();
  await expect(row).toHaveCount(0);
});

test('an event and a record tell whom a rule told, and what became of it', async ({ page, operator, browser, tidewatch, javaScriptEnabled, quiet }) => {
  if (javaScriptEnabled === false) quiet.allow(UNUSED_PRELOAD);
  const [prefix, person] = [unique('PROVEN'), await tidewatch.addPerson(['viewer'])];
  await tellOf(tidewatch, prefix, [person], { mustAcknowledge: true });
  const theirs = await inboxOf(browser, tidewatch, person, { javaScriptEnabled });
  const [settlement] = await tell(tidewatch, theirs, prefix);
  const inbox = new InboxPage(theirs);
  await inbox.isReady(javaScriptEnabled);
  await inbox.step(`${prefix}-1`, 'Acknowledge').click();
  await inbox.counts(0);
  await inbox.open('?folder=all');
  await expect(inbox.row(`${prefix}-1`)).toContainText('Acknowledged');
  await theirs.context().close();

  await page.goto(`/settlements/${settlement.id}`);
  const receipt = page.locator(`.receipt[data-recipient="${person.email}"]`);
  for (const state of ['delivered', 'seen', 'read', 'acknowledged']) {
    await expect(receipt.locator(`[data-state="${state}"]`)).toHaveAttribute('data-reached', 'true');
  }
  await expect(receipt).toContainText(/\d\d:\d\d:\d\d\.\d{3}/);
  await expect(receipt.locator('[data-state="acknowledged"]')).toContainText('on a page');
  await page.locator('.proof-item', { has: receipt }).getByRole('link', { name: 'its event' }).click();
  await expect(page).toHaveURL(/\/events\/evt_/);
  await expect(receipt).toBeVisible();
});

test('who looks into nothing else begins at their notifications', async ({ page, tidewatch }) => {
  const made = await tidewatch.curl('PUT', '/api/v1/roles/reader_of_news', { title: 'Reader', permissions: ['notifications.read'], ownOnly: true });
  expect(made.status, JSON.stringify(made.json)).toBeLessThan(300);
  const person = await tidewatch.addPerson(['reader_of_news']);
  await logIn(page, person);
  await page.goto('/');
  await expect(page).toHaveURL(/\/notifications$/);
  const links = page.locator('#menu a');
  await expect(links).toHaveText(['Notifications']);
});

test('a notification has an address of its own, and nobody else opens it', async ({ page, operator, browser, tidewatch, javaScriptEnabled, quiet }) => {
  if (javaScriptEnabled === false) quiet.allow(UNUSED_PRELOAD);
  const [prefix, person] = [unique('ALONE'), await tidewatch.addPerson(['viewer'])];
  await tellOf(tidewatch, prefix, [person], { template: { title: '{{/reference}} alone', body: 'Nothing to follow.' } });
  const theirs = await inboxOf(browser, tidewatch, person, { javaScriptEnabled });
  await tell(tidewatch, theirs, prefix);
  const inbox = new InboxPage(theirs);
  await inbox.row(`${prefix}-1 alone`).getByRole('link').first().click();
  await expect(inbox.heading).toHaveText(`${prefix}-1 alone`);
  await expect(theirs.locator('main')).toContainText('Nothing to follow.');
  await inbox.counts(0);
  const address = new URL(theirs.url()).pathname;
  expect(address).toMatch(/^\/notifications\/ntf_/);
  await theirs.context().close();
  const answer = await page.goto(address);
  expect(answer?.status()).toBe(404);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Not found');
});
