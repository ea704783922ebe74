import { Dashboard } from '../pages/dashboard.ts';
import { expect, test } from '../fixtures/test.ts';
import { make } from '../fixtures/modules.ts';

// With and without JavaScript: what a form did is said, and a secret is shown once.

test('a key is made and shown once', async ({ page, operator }) => {
  await page.goto('/api-keys');
  await page.getByText('New API key').click();
  await page.getByLabel('Name').fill('Without scripts');
  await page.getByLabel('events.read').check();
  await page.getByRole('button', { name: 'Make the key' }).click();
  await expect(page.locator('[data-secret]')).toContainText('tw_');
  await page.reload();
  await expect(page.locator('[data-secret]')).toHaveCount(0);
  await expect(page.locator('.list-item', { hasText: 'Without scripts' })).toBeVisible();
});

test('an invitation gives its link', async ({ page, operator }) => {
  await page.goto('/people');
  await page.getByText('Invite somebody').click();
  const form = page.locator('[data-change="invitePerson"]');
  await form.getByLabel('E-mail').fill('plain@example.test');
  await form.getByLabel('Viewer').check();
  await form.getByRole('button', { name: 'Make the link' }).click();
  await expect(page.locator('[data-secret]')).toContainText('/invitation?token=');
  await expect(page.locator('.change-answer')).toContainText('plain@example.test');
});

test('a refusal is said', async ({ page, operator }) => {
  await page.goto('/channels?channel=private-plain');
  await page.getByLabel('Payload (JSON)').fill('no JSON');
  await page.getByRole('button', { name: 'Publish' }).click();
  await expect(page.locator('.change-answer [role="alert"]')).toBeVisible();
  await page.getByRole('button', { name: 'Sign' }).click();
  await expect(page.locator('[data-secret]')).toContainText('eyJ');
});

test('people, keys, jobs, channels and connections are narrowed by their addresses', async ({ page, operator, tidewatch }) => {
  const ann = await tidewatch.addPerson(['viewer']);
  for (const [path, words, kept, gone] of [
    ['/people', ann.email, ann.email, 'Demo Operator'],
    ['/api-keys', 'nothing is called this', 'No key is like this', 'Makes the key'],
    ['/connections', 'nobody is called this', 'Nobody is connected that way now', 'Rate:'],
    ['/channels', 'nothing is called this', 'No channel in use is called that', 'No channel is in use'],
  ] as const) {
    await page.goto(path);
    await page.locator('main [name="q"]').fill(words);
    await page.locator('main form', { has: page.locator('[name="q"]') }).getByRole('button').click();
    await expect(page).toHaveURL(/[?&]q=/);
    await expect(page.locator('main').getByText(kept).first()).toBeVisible();
    await expect(page.locator('main .list').getByText(gone)).toHaveCount(0);
    await expect(page.locator('main [name="q"]')).toHaveValue(words);
  }
  await page.goto('/jobs');
  const form = page.locator('main form[action="/jobs"]');
  await form.getByLabel('Kind').fill('no.such');
  await form.getByLabel('State').selectOption('dead');
  await form.getByRole('button', { name: 'Apply' }).click();
  await expect(page).toHaveURL(/\/jobs\?queue=&kind=no\.such&state=dead$/);
  await expect(page.getByText('No job is there now')).toBeVisible();
});

test('a ticket is handed to a contractor by name', async ({ page, operator, tidewatch }) => {
  const dashboard = new Dashboard(page);
  const made = await tidewatch.curl('POST', '/api/v1/organizations', { name: `Firm ${Math.random()}` });
  const organizations = (await tidewatch.curl('GET', '/api/v1/organizations')).json.organizations as { id: string; name: string }[];
  const firm = organizations.find((one) => one.id === made.json.id) ?? organizations[0];
  const ticket = await make(tidewatch, 'tickets', { title: 'The tap drips' });
  await page.goto(`/tickets/${ticket.id}`);
  await expect(dashboard.heading).toHaveText('The tap drips');
  await page.getByText('Hand to a contractor…').click();
  await page.locator('form[data-move="hand"] select').selectOption({ label: firm.name });
  await page.getByRole('button', { name: 'Hand to a contractor', exact: true }).click();
  await expect(page.locator('[data-field="contractorId"]')).toContainText(firm.name);
});
