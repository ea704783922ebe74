import { Dashboard } from '../pages/dashboard.ts';
import { anotherOperator } from '../pages/login.ts';
import { expect, test } from '../fixtures/test.ts';

// A board of its own: the overview shows the eight that wait longest, and those of other specs wait too.
test.use({ settings: {} });

test('a release above the limit: one asks, is told to wait, and another one releases', async ({ page, browser, operator, tidewatch }) => {
  const theirs = await anotherOperator(browser, tidewatch);
  await new Dashboard(theirs).isLive();

  const settlement = await tidewatch.create('BIG-1', { amountMinor: 900_000_000 });
  await page.goto(`/settlements/${settlement.id}`);
  await new Dashboard(page).isLive();
  const article = page.locator('article');
  await new Dashboard(page).hold('by mistake');
  const toast = page.locator('.toast');
  await expect(toast).toContainText('BIG-1 is now held.');
  // The way back is one that a second person has to agree to: nothing is undone.
  await toast.getByRole('button', { name: 'Undo' }).click();
  await expect(page.locator('.toast').last()).toContainText('Release asked for. A second person has to agree.');
  await expect(page.getByText('Undone.')).toHaveCount(0);
  await expect(article).toHaveAttribute('data-status', 'held');
  await expect(page.locator('[data-second-person="true"]')).toContainText('Somebody else has to release it');
  await expect(page.getByRole('button', { name: 'Release', exact: true })).toHaveCount(0);
  await expect(page.locator('[data-field="releaseRequestedBy"]')).toContainText('Demo Operator');
  await expect(page.locator('.timeline-item').first()).toContainText('by Demo Operator');

  // The overview of the other one says what it waits for, live.
  const waiting = theirs.locator(`.attention-list [data-id="${settlement.id}"]`);
  await expect(waiting.locator('[data-second-person]')).toHaveText('waits for a second person');
  await waiting.getByRole('link', { name: 'BIG-1' }).click();
  await expect(theirs.locator('[data-second-person="false"]')).toContainText('Demo Operator asked for its release.');
  await theirs.getByRole('button', { name: 'Release', exact: true }).click();
  await expect(theirs.locator('article')).toHaveAttribute('data-status', 'created');
  await expect(theirs.locator('.toast')).toContainText('BIG-1 is now created.');
  await expect(article).toHaveAttribute('data-status', 'created');
  await expect(page.locator('[data-second-person]')).toHaveCount(0);
  await theirs.context().close();
});

test('the first ask says that it is one', async ({ page, operator, tidewatch }) => {
  const settlement = await tidewatch.create('BIG-2', { amountMinor: 900_000_000 });
  await tidewatch.move(settlement, { move: 'hold', reason: 'odd' });
  await page.goto(`/settlements/${settlement.id}`);
  await new Dashboard(page).isLive();
  await page.getByRole('button', { name: 'Release', exact: true }).click();
  await expect(page.locator('.toast')).toContainText('Release asked for. A second person has to agree.');
});

test('what would lead elsewhere than back is not offered as undo', async ({ page, operator, tidewatch }) => {
  const answer = await tidewatch.curl('POST', '/api/v1/incidents', { title: 'Undo me', severity: 'low' });
  await page.goto(`/incidents/${answer.json.id}`);
  await new Dashboard(page).isLive();
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await expect(page.locator('article')).toHaveAttribute('data-status', 'acknowledged');
  await page.getByText('Resolve…').click();
  await page.getByRole('button', { name: 'Resolve', exact: true }).click();
  const toast = page.locator('.toast', { hasText: 'is now resolved' });
  await expect(toast).toBeVisible();
  await expect(toast.getByRole('button', { name: 'Undo' })).toHaveCount(0);
});
