import { availableParallelism } from 'node:os';
import { defineConfig, devices } from '@playwright/test';

const chromium = process.env.TIDEWATCH_CHROMIUM;

// Every spec runs with and without JavaScript, but those named `.hydrate`, which need it, and `.plain`, which do without.
export default defineConfig({
  testDir: 'tests',
  outputDir: 'test-results',
  // Each worker runs a server and a browser of its own; the machines that run this are small.
  workers: Math.min(2, availableParallelism()),
  // In CI a test that fails is tried once more, with a trace of both tries. If it passes then, the summary calls it
  // flaky: that is a defect to look for, and no reason to hold back everybody's change.
  retries: process.env.CI ? 1 : 0,
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
    { name: 'javascript', testIgnore: '**/*.plain.spec.ts' },
    { name: 'no-javascript', use: { javaScriptEnabled: false }, testIgnore: '**/*.hydrate.spec.ts' },
  ],
});
