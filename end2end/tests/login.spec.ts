import { Dashboard } from '../pages/dashboard.ts';
import { LoginPage } from '../pages/login.ts';
import { expect, test } from '../fixtures/test.ts';

test('who is not signed in is asked to, and then goes on to where they wanted', async ({ page, tidewatch }) => {
  await page.goto('/settlements?status=failed');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Log in');
  await new LoginPage(page).logIn(tidewatch.email, tidewatch.password);
  await expect(page).toHaveURL(/\/settlements\?status=failed$/);
  await expect(new Dashboard(page).heading).toHaveText('Settlements');
});

test('a wrong password is told, and nothing else', async ({ page, tidewatch }) => {
  const login = new LoginPage(page);
  await login.open();
  await login.logIn(tidewatch.email, 'wrong');
  await expect(page.getByRole('alert')).toContainText('address or the password is not right');
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Log in');
});

test('a log-out ends the session', async ({ page, operator }) => {
  await page.getByRole('button', { name: 'Log out' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Log in');
  await page.goto('/settlements');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Log in');
});

test('who guesses too often is told how long to wait', async ({ page }) => {
  const login = new LoginPage(page);
  await login.open();
  for (let attempt = 0; attempt < 6; attempt += 1) {
    await login.logIn('guessed@example.test', `guess ${attempt}`);
    await expect(page.getByRole('alert')).toBeVisible();
  }
  await expect(page.getByRole('alert')).toContainText(/Too many attempts. Wait \d+ s/);
});
