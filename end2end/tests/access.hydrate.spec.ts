import { Dashboard } from '../pages/dashboard.ts';
import { LoginPage } from '../pages/login.ts';
import { expect, test } from '../fixtures/test.ts';

/** The product's promise, and time for the browser to draw. */
const TAKES_HOLD = { timeout: 6_000 };

test.describe('rights that are taken away while a page is open', () => {
  for (const [what, path] of [['the list', '/settlements'], ['the overview', '/']] as const) {
    test(`the rows of ${what} go, and the page says why`, async ({ page, tidewatch }) => {
      const settlement = await tidewatch.move(await tidewatch.create(`SEEN-${what.length}`), { move: 'hold', reason: 'odd' });
      const ann = await tidewatch.addPerson(['operator']);
      const login = new LoginPage(page);
      await login.open(path);
      await login.logIn(ann.email, ann.password);
      const dashboard = new Dashboard(page);
      await dashboard.isLive();
      const row = page.locator(`[data-id="${settlement.id}"]`).first();
      await expect(row).toBeVisible();

      const answer = await tidewatch.curl('PATCH', `/api/v1/people/${ann.id}`, { roles: ['contractor'] });
      expect(answer.status).toBe(200);
      await expect(row).toHaveCount(0, TAKES_HOLD);
      await expect(page.getByRole('alert')).toContainText('settlements.read');
      await expect(page.getByRole('alert')).toContainText('You can no longer see');
      await expect(page.getByText(settlement.reference)).toHaveCount(0);

      // Given back, it is there again after a look.
      expect((await tidewatch.curl('PATCH', `/api/v1/people/${ann.id}`, { roles: ['operator'] })).status).toBe(200);
      await expect(row).toBeVisible(TAKES_HOLD);
    });
  }

  test('a button goes with the right to press it', async ({ page, tidewatch }) => {
    const settlement = await tidewatch.create('BUTTONS');
    const ann = await tidewatch.addPerson(['operator']);
    const login = new LoginPage(page);
    await login.open(`/settlements/${settlement.id}`);
    await login.logIn(ann.email, ann.password);
    await new Dashboard(page).isLive();
    await expect(page.locator('summary', { hasText: 'Hold' })).toBeVisible();
    expect((await tidewatch.curl('PATCH', `/api/v1/people/${ann.id}`, { roles: ['viewer'] })).status).toBe(200);
    await expect(page.locator('summary', { hasText: 'Hold' })).toHaveCount(0, TAKES_HOLD);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('BUTTONS');
  });

  test('who is signed out elsewhere sees nothing any more', async ({ page, tidewatch }) => {
    const settlement = await tidewatch.create('SIGNED-OUT');
    const ann = await tidewatch.addPerson(['operator']);
    const login = new LoginPage(page);
    await login.open('/settlements');
    await login.logIn(ann.email, ann.password);
    await new Dashboard(page).isLive();
    await expect(page.getByText(settlement.reference)).toBeVisible();
    expect((await tidewatch.curl('DELETE', `/api/v1/people/${ann.id}`)).status).toBe(200);
    await expect(page.getByText(settlement.reference)).toHaveCount(0, TAKES_HOLD);
    await expect(page.locator('.pill')).toHaveAttribute('data-state', 'signed_out');
    await expect(page.getByRole('alert')).toContainText('session has ended');
  });
});

test('a key is made, shown once, rotated and deleted', async ({ page, operator }) => {
  await page.getByRole('link', { name: 'API keys' }).click();
  const dashboard = new Dashboard(page);
  await expect(dashboard.heading).toHaveText('API keys');
  await dashboard.isHydrated();
  await page.getByText('New API key').click();
  await page.getByLabel('Name').fill('Billing');
  await page.getByLabel('events.read').check();
  await page.getByRole('button', { name: 'Make the key' }).click();
  const secret = page.locator('[data-secret]');
  await expect(secret).toContainText('tw_');
  const item = page.locator('.list-item', { hasText: 'Billing' });
  await expect(item).toContainText('never used');
  await item.getByText('Rotate…').click();
  await item.getByRole('button', { name: 'Make the new key' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'The old key counts' })).toBeVisible();
  await expect(item).toHaveCount(2);
  const old = item.filter({ hasText: 'being replaced' });
  await old.getByText('Delete…').click();
  await old.getByRole('button', { name: 'Delete the key' }).click();
  await expect(item).toHaveCount(1);
  await page.reload();
  await expect(secret).toHaveCount(0);
});

test('somebody is invited, joins, and is given another role', async ({ page, operator, browser, tidewatch }) => {
  await page.getByRole('link', { name: 'People' }).click();
  const dashboard = new Dashboard(page);
  await expect(dashboard.heading).toHaveText('People and roles');
  await dashboard.isHydrated();
  await page.getByText('Invite somebody').click();
  const form = page.locator('[data-change="invitePerson"]');
  await form.getByLabel('E-mail').fill('guest@example.test');
  await form.getByLabel('Viewer').check();
  await form.getByRole('button', { name: 'Make the link' }).click();
  const link = await page.locator('[data-secret]').innerText();
  expect(link).toContain(`${tidewatch.url}/invitation?token=`);

  const guest = await (await browser.newContext()).newPage();
  await guest.goto(link.trim().split(/\s/)[0]);
  await guest.getByLabel('Your name').fill('Gwen Guest');
  await guest.getByLabel('Password').fill('a long enough password');
  await guest.getByRole('button', { name: 'Join' }).click();
  await expect(guest.getByRole('heading', { level: 1 })).toHaveText('Overview');
  await expect(guest.getByRole('link', { name: 'API keys' })).toHaveCount(0);
  await guest.context().close();

  // By name: people are shown page by page.
  await page.goto('/people?q=gwen');
  await dashboard.isHydrated();
  const item = page.locator('.list-item', { hasText: 'Gwen Guest' });
  await item.getByText('Change…').click();
  await item.getByLabel('Operator').check();
  await item.getByRole('button', { name: 'Save' }).click();
  await expect(page.locator('.toast', { hasText: 'Gwen Guest is now' })).toBeVisible();
  await expect(item.locator('[data-role="operator"]')).toBeVisible();

  await page.getByRole('link', { name: 'Audit log' }).click();
  await expect(page.locator('[data-action="person.set"]').first()).toContainText('guest@example.test');
  await expect(page.locator('[data-action="invitation.accept"]')).toHaveCount(1);
});

test('a project is another document, and everything of it stays in it', async ({ page, tidewatch }) => {
  const ann = await tidewatch.addPerson(['operator']);
  await tidewatch.create('ONLY-IN-DEMO');
  await tidewatch.addProject('quay', ann.email, ['operator']);
  const login = new LoginPage(page);
  await login.open();
  await login.logIn(ann.email, ann.password);
  await expect(page).toHaveURL(/project=demo$/);
  const dashboard = new Dashboard(page);
  await dashboard.isLive();
  await page.locator('.switcher summary').click();
  await page.locator('.switcher').getByRole('link', { name: 'quay' }).click();
  await expect(page).toHaveURL(/\/\?project=quay$/);
  await dashboard.isLive();
  await page.getByRole('link', { name: 'Settlements', exact: true }).click();
  await expect(page).toHaveURL(/\/settlements\?project=quay$/);
  await expect(page.getByText('ONLY-IN-DEMO')).toHaveCount(0);
  await expect(page.getByText('No settlements yet')).toBeVisible();
  await page.goto('/settlements?project=nowhere');
  await expect(page.getByText('ONLY-IN-DEMO')).toHaveCount(0);
});
