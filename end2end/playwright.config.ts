import { defineConfig, devices } from '@playwright/test';

const chromium = process.env.TIDEWATCH_CHROMIUM;

// Every spec runs with and without JavaScript, but those named `.hydrate`, which need it.
export default defineConfig({
  testDir: 'tests',
  outputDir: 'test-results',
  // Each worker runs a server of its own; the machines that run this are small.
  workers: 1,
  retries: 0,
  forbidOnly: !!process.env.CI,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: 'list',
  use: {
    ...devices['Desktop Chrome'],
    viewport: { width: 1360, height: 900 },
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: chromium || undefined,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
    },
  },
  projects: [
    { name: 'javascript' },
    { name: 'no-javascript', use: { javaScriptEnabled: false }, testIgnore: '**/*.hydrate.spec.ts' },
  ],
});
